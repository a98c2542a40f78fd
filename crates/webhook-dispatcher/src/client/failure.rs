//! Failures: why a request has no response, and who is to blame.

use std::collections::HashSet;
use std::error::Error;
use std::io;
use std::sync::{Mutex, PoisonError};

use h2::Reason;
use webhook_domain::{FailureClass, FailureDetail, WebhookId};

use super::http1::{MAX_HEAD_BYTES, MAX_HEADERS};
use super::wire::Wire;

/// The codes of Linux for "too many open files", in this process and in the system.
const TOO_MANY_FILES: [i32; 2] = [24, 23];

/// Why a request has no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) class: FailureClass,
    pub(crate) detail: FailureDetail,
    pub(crate) blame: Blame,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The receiver's: a step towards an open circuit.
    Receiver,
    /// The receiver's, but the loss of the same connection has counted for the webhook already.
    Counted,
    /// The worker's: no attempt was made.
    Us,
}

impl Failure {
    pub(crate) fn new(class: FailureClass, detail: impl std::fmt::Display) -> Self {
        Self {
            class,
            detail: FailureDetail::of(detail),
            blame: Blame::Receiver,
        }
    }

    /// The failure of a URL with a forbidden address.
    pub(crate) fn blocked_address() -> Self {
        Self::new(
            FailureClass::BlockedAddress,
            "the URL's address must not be called",
        )
    }

    /// A failure of the worker or the machine.
    pub(super) fn ours(detail: impl std::fmt::Display) -> Self {
        Self {
            blame: Blame::Us,
            ..Self::new(FailureClass::Connect, detail)
        }
    }
}

/// The webhooks for which the failure of a connection has counted: once for each webhook, also with many
/// requests under way.
#[derive(Default)]
pub(super) struct CountedFor(Mutex<HashSet<WebhookId>>);

impl CountedFor {
    /// The failure, with the blame for the webhook.
    pub(super) fn count(&self, failure: Failure, webhook_id: WebhookId) -> Failure {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.blame == Blame::Us || counted.insert(webhook_id) {
            return failure;
        }
        let blame = Blame::Counted;
        Failure { blame, ..failure }
    }
}

/// The failure of a look-up without a reply from a name server in time.
pub(super) fn unanswered_name(name: &str) -> Failure {
    Failure::new(
        FailureClass::Dns,
        format_args!("no name server returned the addresses of {name} in time"),
    )
}

/// Whether a socket failed for want of free files in the process or on the machine.
pub(super) fn is_out_of_files(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code.is_some_and(|code| TOO_MANY_FILES.contains(&code))
}

/// The failure of a request over HTTP/1.
pub(super) fn of_http1(error: &hyper::Error, wire: &Wire) -> Failure {
    if let Some(refusal) = wire.refusal() {
        return Failure::new(FailureClass::Tls, refusal);
    }
    if error.is_parse_too_large() {
        return too_large();
    }
    if error.is_parse() {
        let began = wire.beginning();
        return Failure::new(
            FailureClass::Protocol,
            format_args!(
                "the response is not HTTP/1.1: {error}; the response begins with `{began}`"
            ),
        );
    }
    let begun = wire.has_begun();
    match io_error(error) {
        Some(error) if error.kind() == io::ErrorKind::ConnectionReset && begun => {
            reset("the receiver reset the connection in the middle of the response's head")
        }
        Some(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            reset("the receiver reset the connection before a response")
        }
        Some(error) if error.kind() != io::ErrorKind::UnexpectedEof => Failure::new(
            FailureClass::Reset,
            format_args!("the connection broke before a response: {error}"),
        ),
        _ if begun => {
            reset("the receiver closed the connection in the middle of the response's head")
        }
        _ => reset("the receiver closed the connection before a response"),
    }
}

/// The failure of a request over HTTP/2.
pub(super) fn of_http2(error: &h2::Error, wire: &Wire) -> Failure {
    if let Some(refusal) = wire.refusal() {
        return Failure::new(FailureClass::Tls, refusal);
    }
    let reason = error.reason();
    if error.is_reset() && !error.is_remote() && reason == Some(Reason::REFUSED_STREAM) {
        // The HTTP/2 library refuses a stream by itself when the head of the response is too large.
        return too_large();
    }
    if error.is_reset() && error.is_remote() {
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason:?}"));
        return Failure::new(
            FailureClass::Reset,
            format_args!("the receiver reset the request's HTTP/2 stream{reason}"),
        );
    }
    if error.is_go_away() && error.is_remote() {
        return Failure::new(
            FailureClass::Reset,
            format_args!(
                "the receiver ended the HTTP/2 connection without looking at the request: {error}"
            ),
        );
    }
    if error.is_io() {
        return reset("the HTTP/2 connection broke before a response");
    }
    Failure::new(
        FailureClass::Protocol,
        format_args!("the response breaks the rules of HTTP/2: {error}"),
    )
}

fn reset(detail: &str) -> Failure {
    Failure::new(FailureClass::Reset, detail)
}

fn too_large() -> Failure {
    Failure::new(
        FailureClass::Protocol,
        format_args!(
            "the head of the response has more than {MAX_HEADERS} headers or {} KiB",
            MAX_HEAD_BYTES / 1_024
        ),
    )
}

fn io_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref() {
            return Some(error);
        }
        cause = current.source();
    }
    None
}

#[cfg(test)]
mod tests;
