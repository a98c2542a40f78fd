//! An HTTP/2 connection, which the webhooks of one endpoint share.

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

use super::endpoint::Target;
use super::failure::{CountedFor, Failure};
use super::http1::MAX_HEAD_BYTES;
use super::wire::{Stream, Wire};

/// The most streams at once, however many more the receiver takes.
const MAX_STREAMS: usize = 1_000;

/// The most streams until the receiver has said how many it takes, as RFC 9113 section 6.5.2 asks
/// receivers to take at least.
const FIRST_STREAMS: usize = 100;

/// How much of an answer's body may be under way: what is kept of it fits.
const STREAM_WINDOW: u32 = 64 * 1024;

/// The same for all answers of a connection.
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How often a connection is looked at. One with a request that heard nothing since the last look is
/// pinged.
const LOOK: Duration = Duration::from_secs(2);

/// How long the answer to a ping may take before the connection counts as dead.
const PONG: Duration = Duration::from_secs(5);

/// How long a connection is kept without a request.
const IDLE: Duration = Duration::from_secs(30);

/// A connection that takes requests as streams.
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
    /// It takes no more streams; those that it has go on.
    is_retired: AtomicBool,
    used: Mutex<Option<Instant>>,
}

/// The right to one stream. Dropping it gives it back.
pub(super) struct Slot(Arc<Streams>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request without an answer.
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
    /// Starts HTTP/2. The connection lives until its handle and its streams are gone.
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

    /// Whether it takes more requests.
    pub(super) fn is_usable(&self, max_age: Duration) -> bool {
        !self.streams.is_retired() && self.opened.elapsed() < max_age
    }

    /// Whether it is to be kept.
    pub(super) fn is_alive(&self, max_age: Duration) -> bool {
        let used = *self.streams.used();
        let idle = used.unwrap_or(self.opened).elapsed();
        self.is_usable(max_age) && (self.streams.open() > 0 || idle < IDLE)
    }

    /// Lets it take no more requests; those under way go on.
    pub(super) fn retire(&self) {
        self.streams.retire();
    }

    /// The right to one more stream, if there is one now.
    pub(super) fn slot(&self) -> Option<Slot> {
        let most = self.sender.current_max_send_streams().min(MAX_STREAMS);
        self.streams.try_open(most)
    }

    /// Sends a request and reads the answer's head.
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
        let (answer, mut sending) = sent.map_err(|_| Unanswered::NotSent)?;
        // It is buffered until the receiver has room, and bounded as every body is. If the stream is over
        // by now, the answer tells why.
        let _ = sending.send_data(body, true);
        let answer = answer.await.map_err(Unanswered::Failed)?;
        self.is_used.store(true, Ordering::Relaxed);
        Ok(answer)
    }

    /// What is known of the bytes that came in.
    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Whether a request was answered over it: then it was not dead from the beginning.
    pub(super) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed)
    }

    /// The failure of this connection, as it counts for a webhook.
    pub(super) fn counted(&self, failure: Failure, webhook_id: WebhookId) -> Failure {
        self.counted.count(failure, webhook_id)
    }
}

/// What is lost with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The request, which the receiver had.
    Stream,
    /// Nothing: the receiver wants the request over HTTP/1.
    WantsHttp1,
    /// Nothing: the receiver refused the stream.
    Refused,
    /// The connection; the receiver did not look at the request.
    Unprocessed,
    /// The connection, and with it every request that was under way.
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

/// Moves the connection's frames until it is over, does not answer pings, or has nothing left to do.
/// Dropping it then ends what is under way.
async fn drive(mut connection: Connection<Stream, Bytes>, streams: Arc<Streams>, wire: Arc<Wire>) {
    let pings = connection.ping_pong();
    tokio::select! {
        _ = connection => {}
        () = watch(pings, &streams, &wire) => {}
    }
    streams.retire();
}

/// Comes to its end when a ping is not answered, or when nobody wants the connection any more and it
/// did not end in order.
async fn watch(pings: Option<PingPong>, streams: &Streams, wire: &Wire) {
    let Some(mut pings) = pings else {
        return std::future::pending().await;
    };
    let (mut looks, mut heard, mut was_over) = (interval(LOOK), wire.received(), false);
    loop {
        looks.tick().await;
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

/// Pings. What else comes in meanwhile shows life as well: an answer may wait behind other frames.
async fn is_answered(pings: &mut PingPong, wire: &Wire) -> bool {
    let before = wire.received();
    if pings.send_ping(Ping::opaque()).is_err() {
        // The last one is on its way still.
        return false;
    }
    let answered = timeout(PONG, poll_fn(|context| pings.poll_pong(context))).await;
    matches!(answered, Ok(Ok(_))) || wire.received() > before
}
