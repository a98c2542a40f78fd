//! An HTTP/2 connection, shared by the webhooks of an origin.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong, Reason, RecvStream};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version};
use tokio::time::{Instant, interval, timeout};
use webhook_domain::WebhookId;

use super::failure::{CountedFor, Failure};
use super::http1::MAX_HEAD_BYTES;
use super::origin::Target;
use super::wire::{Stream, Wire};

/// The most streams of a connection at once, however many more the receiver takes.
const MAX_STREAMS: usize = 1_000;

/// The most streams until the receiver has announced a limit: RFC 9113 section 6.5.2 asks receivers to
/// take 100 at least.
const FIRST_STREAMS: usize = 100;

/// How many bytes of a response's body may be under way. The recorded part fits.
const STREAM_WINDOW: u32 = 64 * 1024;

/// How many bytes of all bodies of a connection may be under way.
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How often a connection is checked. A connection with a request under way, and silent since the last
/// check, is pinged.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// How long the reply to a ping may take. Then the connection counts as dead.
const PONG_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection with a stream for each request.
pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    wire: Arc<Wire>,
    streams: Arc<Streams>,
    opened: Instant,
    is_used: AtomicBool,
    counted: CountedFor,
}

/// The streams of a connection.
#[derive(Default)]
struct Streams {
    open: AtomicUsize,
    /// The connection takes no more streams; open streams go on.
    is_retired: AtomicBool,
    used: Mutex<Option<Instant>>,
}

/// The right to a stream, given back when dropped.
pub(super) struct Slot(Arc<Streams>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a request got no response.
pub(super) enum Unanswered {
    /// The connection was over before a byte of the request went out.
    NotSent,
    Failed(h2::Error),
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.streams.retire();
    }
}

impl Http2 {
    /// Starts HTTP/2. The connection lives until handle and streams are gone.
    pub(super) async fn start(stream: Stream) -> Result<Self, h2::Error> {
        let wire = stream.wire().clone();
        let handshake = Builder::new()
            .enable_push(false)
            .initial_max_send_streams(FIRST_STREAMS)
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(stream);
        let (sender, connection) = handshake.await?;
        let streams = Arc::<Streams>::default();
        tokio::spawn(drive(connection, streams.clone(), wire.clone()));
        Ok(Self {
            sender,
            wire,
            streams,
            opened: Instant::now(),
            is_used: AtomicBool::new(false),
            counted: CountedFor::default(),
        })
    }

    /// Whether the connection takes more requests.
    pub(super) fn is_usable(&self, max_age: Duration) -> bool {
        !self.streams.is_retired() && self.opened.elapsed() < max_age
    }

    /// Whether the connection is to be kept.
    pub(super) fn is_alive(&self, max_age: Duration) -> bool {
        let used = *self.streams.used();
        let idle = used.unwrap_or(self.opened).elapsed();
        self.is_usable(max_age) && (self.streams.open() > 0 || idle < IDLE_TIMEOUT)
    }

    /// Lets the connection take no more requests; requests under way go on.
    pub(super) fn retire(&self) {
        self.streams.retire();
    }

    /// The right to one more stream, if free now.
    pub(super) fn slot(&self) -> Option<Slot> {
        // The receiver may change the number at any time.
        let most = self.sender.current_max_send_streams().min(MAX_STREAMS);
        self.streams.try_open(most)
    }

    /// Sends a request and reads the head of the response.
    pub(super) async fn send(
        &self,
        target: &Target,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<RecvStream>, Unanswered> {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.uri.clone();
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = headers;
        let sent = self.sender.clone().send_request(request, false);
        let (response, mut sending) = sent.map_err(|_| Unanswered::NotSent)?;
        // The body is buffered until the receiver has room, at most 256 KiB as of every event. If the
        // stream is over by now, the response tells why.
        let _ = sending.send_data(body, true);
        let response = response.await.map_err(Unanswered::Failed)?;
        self.is_used.store(true, Ordering::Relaxed);
        Ok(response)
    }

    /// Notes on the incoming bytes of the connection.
    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Whether the connection has brought a response, and so was not dead from the beginning.
    pub(super) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed)
    }

    /// A failure of the connection, with the blame for a webhook.
    pub(super) fn counted(&self, failure: Failure, webhook_id: WebhookId) -> Failure {
        self.counted.count(failure, webhook_id)
    }
}

/// The extent of an error: the stream or the connection, processed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The stream; the receiver may have processed the request.
    Stream,
    /// The stream; the receiver wants the request over HTTP/1.
    WantsHttp1,
    /// The stream; the receiver did not process the request.
    Refused,
    /// The connection; the receiver did not process the request.
    Unprocessed,
    /// The connection, and every request under way.
    Connection,
}

impl Loss {
    pub(super) fn of(error: &h2::Error) -> Self {
        if error.is_reset() {
            return match error.reason() {
                Some(Reason::REFUSED_STREAM) if error.is_remote() => Self::Refused,
                Some(Reason::HTTP_1_1_REQUIRED) if error.is_remote() => Self::WantsHttp1,
                _ => Self::Stream,
            };
        }
        if error.is_go_away() && error.is_remote() {
            return Self::Unprocessed;
        }
        Self::Connection
    }
}

impl Streams {
    fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn is_retired(&self) -> bool {
        self.is_retired.load(Ordering::Relaxed)
    }

    fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
    }

    fn try_open(self: &Arc<Self>, most: usize) -> Option<Slot> {
        let open = &self.open;
        let opened = open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
            (open < most).then_some(open + 1)
        });
        opened.ok()?;
        *self.used() = Some(Instant::now());
        Some(Slot(self.clone()))
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves the connection's frames until the connection is over, does not reply to pings, or has no
/// streams left after its retirement. Then the connection is dropped, which ends the requests under way.
async fn drive(mut connection: Connection<Stream, Bytes>, streams: Arc<Streams>, wire: Arc<Wire>) {
    let pings = connection.ping_pong();
    tokio::select! {
        _ = connection => {}
        () = watch(pings, &streams, &wire) => {}
    }
    streams.retire();
}

/// Returns when the receiver has not replied to a ping, or when the connection is retired, has no
/// streams, and did not end in order.
async fn watch(pings: Option<PingPong>, streams: &Streams, wire: &Wire) {
    let Some(mut pings) = pings else {
        return std::future::pending().await;
    };
    let (mut checks, mut heard, mut was_over) = (interval(CHECK_INTERVAL), wire.received(), false);
    loop {
        checks.tick().await;
        // Seen twice: between two checks the connection has time to end in order.
        let is_over = streams.is_retired() && streams.open() == 0;
        if is_over && was_over {
            return;
        }
        was_over = is_over;
        let now = wire.received();
        let is_silent = now == heard;
        heard = now;
        if is_silent && streams.open() > 0 && !is_answered(&mut pings, wire).await {
            return;
        }
    }
}

/// Pings. Other incoming bytes show life as well, as the reply may wait behind other frames.
async fn is_answered(pings: &mut PingPong, wire: &Wire) -> bool {
    let before = wire.received();
    if pings.send_ping(Ping::opaque()).is_err() {
        // The last ping has no reply yet.
        return false;
    }
    let answered = timeout(PONG_TIMEOUT, poll_fn(|context| pings.poll_pong(context))).await;
    matches!(answered, Ok(Ok(_))) || wire.received() > before
}
