//! The sink: a receiver on loopback that counts and times arrivals.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// How the sink responds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// 200 at once.
    AtOnce,
    /// 200 at once, and the end of the connection: the next request needs a new connection.
    AtOnceAndClose,
    /// 200 after a time.
    After(Duration),
    /// 500 at once.
    WithFailure,
}

/// A receiver on loopback.
pub(crate) struct Sink {
    /// `http://…`, without a path.
    pub(crate) url: String,
    seen: Arc<Seen>,
}

/// The arrivals.
struct Seen {
    epoch: Instant,
    wanted: AtomicUsize,
    arrived: AtomicUsize,
    first: AtomicU64,
    last: AtomicU64,
    complete: Notify,
    timed: Mutex<Option<Vec<Duration>>>,
}

impl Sink {
    /// Starts to listen.
    pub(crate) async fn start(answers: Answers) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::new(Seen {
            epoch: Instant::now(),
            wanted: AtomicUsize::new(usize::MAX),
            arrived: AtomicUsize::new(0),
            first: AtomicU64::new(0),
            last: AtomicU64::new(0),
            complete: Notify::new(),
            timed: Mutex::default(),
        });
        tokio::spawn(accept(listener, seen.clone(), answers));
        Ok(Self { url, seen })
    }

    /// The same receiver by the name `localhost`: every new connection needs a look-up.
    pub(crate) fn by_name(self) -> Self {
        let url = self.url.replace("127.0.0.1", "localhost");
        Self { url, ..self }
    }

    /// The URL of the webhook with the number.
    pub(crate) fn webhook(&self, number: usize) -> String {
        format!("{}/{number}", self.url)
    }

    /// Starts to count from 0, and expects `wanted` arrivals.
    pub(crate) fn expect(&self, wanted: usize) {
        self.seen.arrived.store(0, Ordering::SeqCst);
        self.seen.wanted.store(wanted, Ordering::SeqCst);
    }

    /// Starts to time events, from `sent_at` to the arrival.
    pub(crate) fn time(&self) {
        *self.timed() = Some(Vec::new());
    }

    /// The sorted times of the events.
    pub(crate) fn times(&self) -> Vec<Duration> {
        let mut times = self.timed().take().unwrap_or_default();
        times.sort_unstable();
        times
    }

    /// Number of arrivals so far.
    pub(crate) fn arrived(&self) -> usize {
        self.seen.arrived.load(Ordering::SeqCst)
    }

    /// Waits for all expected arrivals. The result is the time from the first to the last arrival.
    pub(crate) async fn all_arrived(&self, patience: Duration) -> anyhow::Result<Duration> {
        let waited = tokio::time::timeout(patience, self.seen.complete.notified()).await;
        anyhow::ensure!(waited.is_ok(), "only {} arrived", self.arrived());
        let [first, last] = [&self.seen.first, &self.seen.last].map(|at| at.load(Ordering::SeqCst));
        Ok(Duration::from_nanos(last - first))
    }

    fn timed(&self) -> std::sync::MutexGuard<'_, Option<Vec<Duration>>> {
        self.seen
            .timed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn note(&self, body: &[u8]) {
        let number = self.arrived.fetch_add(1, Ordering::SeqCst) + 1;
        let wanted = self.wanted.load(Ordering::Relaxed);
        // Only the first and the last arrival read the clock.
        if number == 1 || number == wanted {
            let since = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
            let at = if number == 1 { &self.first } else { &self.last };
            at.store(since, Ordering::SeqCst);
            if number == wanted {
                self.complete.notify_one();
            }
        }
        let mut timed = self.timed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(timed) = timed.as_mut() {
            timed.extend(super::load::age(body));
        }
    }
}

async fn accept(listener: TcpListener, seen: Arc<Seen>, answers: Answers) {
    while let Ok((stream, _)) = listener.accept().await {
        // Without the option a run is slow, not wrong.
        let _ = stream.set_nodelay(true);
        let seen = seen.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| respond(request, &seen, answers));
            // The client hangs up at the end of a run.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn respond(
    request: Request<Incoming>,
    seen: &Seen,
    answers: Answers,
) -> Result<Response<Empty<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    seen.note(&body);
    let mut response = Response::new(Empty::new());
    match answers {
        Answers::AtOnce => {}
        Answers::AtOnceAndClose => {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        Answers::After(time) => tokio::time::sleep(time).await,
        Answers::WithFailure => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    Ok(response)
}
