//! An HTTP/1.1 connection, which belongs to a single webhook.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::header_case::documented;
use super::origin::{Origin, Target};
use super::wire::{Stream, Wire};

/// The most headers of a response: more than curl and browsers are known to need.
pub(super) const MAX_HEADERS: usize = 1_024;

/// The most bytes of a response's head.
pub(super) const MAX_HEAD_BYTES: usize = 256 * 1024;

/// How long an idle connection is kept if the receiver names no time: less than the 5 s of Node and
/// Apache, among the shortest times in use.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The longest that an idle connection is kept, also if the receiver names a longer time.
const MAX_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a connection may take to become ready. An unready connection still writes the last request,
/// answered by the receiver before reading all of the request.
const READY_TIMEOUT: Duration = Duration::from_millis(100);

/// How long a dropped connection has to end in order.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// How long before the time named by the receiver a connection is given up: the worker's clock starts
/// when the response arrives, the receiver's earlier.
const IDLE_MARGIN: Duration = Duration::from_millis(500);

/// Why a request got no response.
pub(super) enum Unanswered {
    /// The connection was over before a byte of the request went out.
    NotSent(Option<hyper::Error>),
    Failed(hyper::Error),
}

/// A connection for one request at a time.
pub(super) struct Http1 {
    sender: SendRequest<Full<Bytes>>,
    wire: Arc<Wire>,
    origin: Arc<Origin>,
    opened: Instant,
    idle_until: Instant,
    /// Ends the connection when dropped.
    _handle: oneshot::Sender<()>,
}

impl Http1 {
    /// Starts HTTP/1.1. The connection lives as long as the handle.
    pub(super) async fn start(stream: Stream, origin: Arc<Origin>) -> hyper::Result<Self> {
        let wire = stream.wire().clone();
        let handshake = Builder::new()
            // Leniencies of curl, Go and browsers: some server somewhere needs each of them.
            .ignore_invalid_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES)
            .preserve_header_case(true)
            .title_case_headers(true)
            .handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await?;
        let (handle, gone) = oneshot::channel::<()>();
        tokio::spawn(async move {
            tokio::select! {
                // The request under way gets the error.
                _ = connection => {}
                // Without a time limit a receiver could keep the task for ever by not reading.
                () = async { let _ = gone.await; sleep(END_TIMEOUT).await; } => {}
            }
        });
        let now = Instant::now();
        Ok(Self {
            sender,
            wire,
            origin,
            opened: now,
            idle_until: now + IDLE_TIMEOUT,
            _handle: handle,
        })
    }

    /// Whether the connection can be used for a request to `origin`.
    pub(super) fn is_usable(&self, origin: &Origin, max_age: Duration) -> bool {
        *self.origin == *origin && self.is_alive(Instant::now(), max_age)
    }

    /// Whether the connection is to be kept.
    pub(super) fn is_alive(&self, now: Instant, max_age: Duration) -> bool {
        !self.sender.is_closed() && now < self.idle_until && now < self.opened + max_age
    }

    /// Sends a request and reads the head of the response.
    pub(super) async fn send(
        &mut self,
        target: &Target,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, Unanswered> {
        match timeout(READY_TIMEOUT, self.sender.ready()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Unanswered::NotSent(Some(error))),
            Err(_) => return Err(Unanswered::NotSent(None)),
        }
        headers.insert(HOST, target.host.clone());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.path.clone();
        *request.headers_mut() = headers;
        *request.extensions_mut() = documented();
        // Before the send: all bytes coming in from now on are the response.
        self.wire.ask();
        let answered = self.sender.send_request(request).await;
        answered.map_err(|error| match error.is_canceled() {
            true => Unanswered::NotSent(Some(error)),
            false => Unanswered::Failed(error),
        })
    }

    /// Notes on the incoming bytes of the connection.
    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Sets how long the connection may wait for the next request. `false`: the connection must not be
    /// used again.
    pub(super) fn rest(&mut self, head: &Head) -> bool {
        self.idle_until = Instant::now() + head.idle;
        head.is_clean && !self.sender.is_closed()
    }
}

/// The meaning of a response's head for the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    idle: Duration,
    /// Whether no bytes can follow and be taken for the next response.
    is_clean: bool,
}

impl Head {
    pub(super) fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let bodyless = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
        let announced = headers.contains_key(TRANSFER_ENCODING)
            || headers
                .get(CONTENT_LENGTH)
                .is_some_and(|length| length != "0");
        let named = headers.get("keep-alive").and_then(keep_alive_timeout);
        Self {
            idle: named.map_or(IDLE_TIMEOUT, before),
            is_clean: !(bodyless && announced),
        }
    }
}

/// Half a second before `timeout`, or half of a short `timeout`.
fn before(timeout: Duration) -> Duration {
    let earlier = timeout.saturating_sub(IDLE_MARGIN).max(timeout / 2);
    earlier.min(MAX_IDLE_TIMEOUT)
}

/// The time in a header such as `Keep-Alive: timeout=5, max=100`.
fn keep_alive_timeout(value: &HeaderValue) -> Option<Duration> {
    let mut parameters = value.to_str().ok()?.split(',');
    parameters.find_map(|parameter| {
        let (name, seconds) = parameter.split_once('=')?;
        let is_timeout = name.trim().eq_ignore_ascii_case("timeout");
        let seconds = seconds.trim().parse().ok()?;
        is_timeout.then(|| Duration::from_secs(seconds))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&'static str, &'static str)]) -> Head {
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_static(value);
            (http::HeaderName::from_static(name), value)
        });
        let status = StatusCode::from_u16(status).expect("a status");
        Head::of(status, &headers.collect())
    }

    #[test]
    fn a_connection_is_given_up_before_the_receiver_would() {
        let idle = |value| head(200, &[("keep-alive", value)]).idle.as_millis();

        assert_eq!(idle("timeout=5"), 4_500);
        assert_eq!(idle("max=100, Timeout = 1"), 500);
        assert_eq!(idle("timeout=0"), 0);
        assert_eq!(idle("timeout=300"), 60_000);
        for nonsense in ["", "timeout", "timeout=soon", "max=1"] {
            assert_eq!(idle(nonsense), 4_000, "{nonsense}");
        }
    }

    #[test]
    fn an_answer_without_a_body_that_announces_one_ends_its_connection() {
        assert!(head(204, &[]).is_clean);
        assert!(head(204, &[("content-length", "0")]).is_clean);
        assert!(head(200, &[("content-length", "5")]).is_clean);
        assert!(!head(204, &[("content-length", "5")]).is_clean);
        assert!(!head(304, &[("transfer-encoding", "chunked")]).is_clean);
    }
}
