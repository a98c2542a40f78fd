//! The request of an attempt: signed, sent, and recorded with its response.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use webhook_domain::{
    BodyContext, FailureDetail, Format, HeaderText, JudgedAnswer, NextAttempt, RequestHeader,
    TargetUrl, TraceContext, request_headers,
};
use webhook_store::LeasedDelivery;
use webhook_store::attempts::{Attempt, Timing, Transcript};
use webhook_store::settings::MessageLinks;

use super::destinations::ReadyDestination;
use super::response;
use crate::client::{Blame, Client, Failure, Outgoing, Response, SendTrace, millis};

/// How much longer than the head the body of a response may take.
const MAX_EXTRA_BODY_TIME: Duration = Duration::from_secs(1);

/// The most bytes of a request's body in the record: 32 KiB. Messages are shorter; of a larger CloudEvent the
/// beginning is kept, so that results that wait for the recorder take a bounded memory.
const MAX_KEPT_BODY_BYTES: usize = 32 * 1024;

/// The facts of the request and the response, before the verdict.
pub(crate) struct MadeAttempt {
    pub(crate) attempt: Attempt,
    pub(crate) transcript: Transcript,
    /// The outcome, and the receiver's word and advice.
    pub(crate) answer: JudgedAnswer,
    /// Whether a failure is a step towards an open circuit.
    pub(crate) counts_for_circuit: bool,
}

/// How long an attempt may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimits {
    /// How long the receiver has.
    pub(crate) timeout: Duration,
    /// How much longer the attempt may take for want of a free stream, which is not the receiver's time.
    pub(crate) slack: Duration,
}

/// Makes an attempt, which ends in time also if the receiver does not answer. The error says why no
/// attempt was made, never for a fault of the receiver.
pub(crate) async fn send_signed(
    client: &Client,
    destination: &ReadyDestination,
    links: &MessageLinks,
    leased: &LeasedDelivery,
    limits: TimeLimits,
) -> Result<MadeAttempt, Failure> {
    let (now, began) = (Utc::now(), std::time::Instant::now());
    let mut attempt = begin(leased, now);
    let mut span =
        webhook_traces::attempt(&leased.event, leased.webhook_id, leased.id, attempt.number);
    let format = destination.stored.body.format();
    let body = write_body(destination, leased, links);
    // Signed anew for each attempt, as signatures carry the time.
    let signed = sign(
        destination,
        leased,
        (attempt.number, &body),
        now,
        span.place(),
    );
    let mut transcript = begin_transcript(destination, &body);
    let mut trace = SendTrace::default();
    let sent = send(
        client,
        destination,
        leased,
        (&signed, &body),
        limits,
        &mut trace,
    )
    .await;
    let (answer, counts_for_circuit) = match sent {
        Ok(response) => {
            attempt.timing.first_byte_ms = Some(millis(began));
            let deadline = body_deadline(began, trace.deadline);
            let read = response::read(response, format, deadline, &mut attempt, &mut transcript);
            (destination.bound(read.await), true)
        }
        Err(failure) if failure.blame == Blame::Us => {
            span.fail(&"no request was made");
            return Err(failure);
        }
        Err(failure) => {
            let counts = failure.blame == Blame::Receiver;
            (response::note_failure(&mut attempt, failure), counts)
        }
    };
    note_timing(&mut attempt, &trace, began);
    span.describe_result(attempt.response_status, attempt.failure_class);
    transcript.repeated = trace.repeated;
    transcript.request_headers = headers_to_record(signed, destination);
    hide_url(&destination.stored.url, &mut attempt, &mut transcript);
    Ok(MadeAttempt {
        attempt,
        transcript,
        answer,
        counts_for_circuit,
    })
}

fn note_timing(attempt: &mut Attempt, trace: &SendTrace, began: std::time::Instant) {
    if let Some(progress) = trace.wait.progress() {
        attempt.timing.dns_ms = progress.dns_ms();
        attempt.timing.connect_ms = progress.connect_ms();
    }
    attempt.timing.duration_ms = millis(began);
}

/// The event in the format of the webhook.
fn write_body(
    destination: &ReadyDestination,
    leased: &LeasedDelivery,
    links: &MessageLinks,
) -> Bytes {
    let portal = links.portal_url.as_ref();
    let page = portal.map(|portal| portal.delivery_page(leased.id));
    destination.stored.body.write(&BodyContext {
        event: &leased.event,
        webhook_name: &destination.stored.name,
        delivery_id: leased.id,
        links: &links.patterns,
        delivery_page: page.as_deref(),
    })
}

/// Hides a secret URL where the receiver repeats the URL: in `Location`, in a page about an error, in the beginning
/// of bytes that are no HTTP.
fn hide_url(url: &TargetUrl, attempt: &mut Attempt, transcript: &mut Transcript) {
    if !url.is_secret() {
        return;
    }
    let details = [&mut attempt.failure_detail, &mut transcript.repeated];
    for detail in details.into_iter().flatten() {
        *detail = FailureDetail::of(url.hide_in(detail.as_str()));
    }
    for (_, value) in &mut transcript.response_headers {
        *value = HeaderText::new(&url.hide_in(value.as_str()));
    }
    if let Cow::Owned(hidden) = url.hide_in_bytes(&transcript.response_body) {
        transcript.response_body = hidden;
    }
}

/// An attempt that has just begun.
pub(super) fn begin(leased: &LeasedDelivery, now: DateTime<Utc>) -> Attempt {
    Attempt {
        delivery_id: leased.id,
        number: leased.attempts + 1,
        started_at: now.trunc_subsecs(6),
        timing: Timing::default(),
        response_status: None,
        failure_class: None,
        failure_detail: None,
    }
}

fn begin_transcript(destination: &ReadyDestination, body: &[u8]) -> Transcript {
    Transcript {
        request_url: destination.stored.url.shown().into_owned(),
        request_body: written_anew(destination.stored.body.format(), body),
        template_version: destination.stored.template_version,
        ..Transcript::default()
    }
}

/// The body for the record; `None`: the body is the event's own, which is stored once.
fn written_anew(format: Format, body: &[u8]) -> Option<String> {
    if format == Format::Json {
        return None;
    }
    let kept = &body[..body.len().min(MAX_KEPT_BODY_BYTES)];
    let mut text = String::from_utf8_lossy(kept).into_owned();
    if kept.len() < body.len() {
        text.push('…');
    }
    Some(text)
}

async fn send(
    client: &Client,
    destination: &ReadyDestination,
    leased: &LeasedDelivery,
    (signed, body): (&[(RequestHeader, String)], &Bytes),
    limits: TimeLimits,
    trace: &mut SendTrace,
) -> Result<Response, Failure> {
    let Some(target) = &destination.target else {
        return Err(Failure::blocked_address());
    };
    let outgoing = Outgoing {
        webhook_id: leased.webhook_id,
        target,
        headers: || headers(destination, signed),
        body,
        timeout: limits.timeout,
        slack: limits.slack,
    };
    client.send(&outgoing, trace).await
}

/// When the read of a response's body ends. For events the head has decided on the outcome already, chat services
/// answer with a word, and a dripping body would hold a runner for the whole timeout.
fn body_deadline(began: std::time::Instant, deadline: Option<Instant>) -> Instant {
    let as_long_again = Instant::now() + began.elapsed() + MAX_EXTRA_BODY_TIME;
    deadline.map_or(as_long_again, |deadline| deadline.min(as_long_again))
}

fn sign(
    destination: &ReadyDestination,
    leased: &LeasedDelivery,
    (number, body): (i32, &[u8]),
    now: DateTime<Utc>,
    trace: Option<TraceContext>,
) -> Vec<(RequestHeader, String)> {
    let next = NextAttempt {
        event: &leased.event,
        body,
        format: destination.stored.body.format(),
        delivery_id: leased.id,
        number,
        at: now,
        trace,
    };
    request_headers(next, destination.stored.secrets.valid_at(now))
}

/// The names of our own headers, in the order of [`RequestHeader::ALL`], parsed once for all requests.
static OWN_HEADER_NAMES: LazyLock<Vec<HeaderName>> = LazyLock::new(|| {
    let names = RequestHeader::ALL.iter().map(|header| header.as_str());
    names
        .map(|name| HeaderName::from_bytes(name.as_bytes()).expect("a header's name"))
        .collect()
});

fn headers(destination: &ReadyDestination, signed: &[(RequestHeader, String)]) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(signed.len() + destination.headers.len() + 3);
    for (header, value) in signed {
        let value = HeaderValue::from_str(value).expect("our own values are ASCII");
        headers.append(OWN_HEADER_NAMES[header.position()].clone(), value);
    }
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    for (name, value) in &destination.headers {
        headers.append(name.clone(), value.clone());
    }
    headers
}

/// The headers of a request for the record. Of the admin's headers, which may hold a password, only the
/// names are recorded.
fn headers_to_record(
    signed: Vec<(RequestHeader, String)>,
    destination: &ReadyDestination,
) -> Vec<(Cow<'static, str>, Option<String>)> {
    let own = signed
        .into_iter()
        .map(|(header, value)| (Cow::Borrowed(header.as_str()), Some(value)));
    let custom = destination.stored.headers.iter();
    let custom = custom.map(|(name, _)| (Cow::Owned(name.as_str().to_owned()), None));
    own.chain(custom).collect()
}

#[cfg(test)]
mod tests;
