//! The connections that are open: those of HTTP/1 by webhook, those of HTTP/2 by endpoint.
//!
//! What follows an answer on an HTTP/1 connection would be taken for the next answer, so such a
//! connection never serves another webhook. Streams of HTTP/2 are apart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, interval, sleep};
use webhook_domain::{FailureClass, WebhookId};

use super::connector::Connector;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::http1::Http1;
use super::http2::{Http2, Slot};
use super::origin::{Connecting, Made, Next, Origin};
use super::progress::Progress;
use super::tls::Protocols;

/// The most HTTP/1 connections that wait for their next request. Beyond, one more closes some others.
const MAX_IDLE: usize = 10_240;

/// How often a request waits for one more connection before it waits for a stream.
const MAX_ROUNDS: usize = 64;

/// How often a new connection may end before it answers a request, and the pause after each time.
const MAX_DEAD: u32 = 10;
const DEAD_PAUSE: Duration = Duration::from_millis(10);

/// How often connections that waited too long, or are too old, are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// A connection for one request.
pub(super) enum Connection {
    /// One that nobody else has. `reused`: it has served a request before.
    Http1 { http1: Http1, reused: bool },
    /// One that others have, too, and the right to a stream of it.
    Http2 { http2: Arc<Http2>, slot: Slot },
}

/// What a request waits for before it can be sent.
#[derive(Default)]
pub(crate) struct Waiting {
    progress: Option<Arc<Progress>>,
    /// `None`: the connection is its own.
    connecting: Option<Arc<Connecting>>,
}

impl Waiting {
    /// The connection that was made, or was not.
    pub(crate) fn progress(&self) -> Option<&Progress> {
        self.progress.as_deref()
    }

    /// What it means that the connection was not there in time.
    pub(super) fn timed_out(&self, webhook_id: WebhookId) -> Option<Failure> {
        match &self.connecting {
            Some(connecting) => Some(connecting.timed_out(webhook_id)),
            None => self.progress.as_ref().map(|progress| progress.timed_out()),
        }
    }

    fn for_all(&mut self, connecting: &Arc<Connecting>) {
        self.progress = Some(connecting.progress().clone());
        self.connecting = Some(connecting.clone());
    }

    fn for_own(&mut self, progress: &Arc<Progress>) {
        self.progress = Some(progress.clone());
        self.connecting = None;
    }
}

/// All connections of this process.
pub(super) struct Pool {
    connector: Arc<Connector>,
    /// After so long a connection takes no more requests: names may have moved, backends been
    /// drained, addresses been forbidden.
    max_age: Duration,
    idle: Mutex<Idle>,
    origins: Mutex<HashMap<Arc<Endpoint>, Origin>>,
}

#[derive(Default)]
struct Idle {
    by_webhook: HashMap<WebhookId, Vec<Http1>>,
    count: usize,
}

impl Idle {
    /// Closes the connections of some webhook, whichever comes first: so no group of webhooks keeps the
    /// places of the others.
    fn close_some(&mut self) {
        let some = self.by_webhook.keys().next().copied();
        let closed = some.and_then(|webhook_id| self.by_webhook.remove(&webhook_id));
        self.count -= closed.map_or(0, |closed| closed.len());
    }
}

impl Pool {
    pub(super) fn new(connector: Arc<Connector>, max_age: Duration) -> Arc<Self> {
        let pool = Arc::new(Self {
            connector,
            max_age,
            idle: Mutex::default(),
            origins: Mutex::default(),
        });
        tokio::spawn(sweep(Arc::downgrade(&pool)));
        pool
    }

    /// A connection for a request of this webhook. `fresh`: one that was not open before. `None`: every
    /// stream that the endpoint takes is in use. What is waited for is told to `waiting`.
    pub(super) async fn connection(
        self: &Arc<Self>,
        webhook_id: WebhookId,
        endpoint: &Arc<Endpoint>,
        fresh: bool,
        waiting: &mut Waiting,
    ) -> Result<Option<Connection>, Failure> {
        if !fresh && let Some(http1) = self.take(webhook_id, endpoint) {
            let reused = true;
            return Ok(Some(Connection::Http1 { http1, reused }));
        }
        if endpoint.server_name().is_none() {
            return self.open_http1(endpoint, waiting).await.map(Some);
        }
        // The streams of a new connection may be taken before everybody who waited for it has one.
        let mut dead = 0;
        for _ in 0..MAX_ROUNDS {
            let next = {
                let mut origins = self.origins();
                let origin = origins.entry(endpoint.clone()).or_default();
                origin.next(self.max_age, || self.start(endpoint))
            };
            let connecting = match next {
                Next::Stream(http2, slot) => return Ok(Some(Connection::Http2 { http2, slot })),
                Next::Own => return self.open_http1(endpoint, waiting).await.map(Some),
                Next::Full => return Ok(None),
                Next::Wait(connecting) => connecting,
            };
            waiting.for_all(&connecting);
            match connecting.made(webhook_id).await? {
                Made::Http1(place) => {
                    if let Some(http1) = place.take() {
                        let reused = false;
                        return Ok(Some(Connection::Http1 { http1, reused }));
                    }
                    // Another request was here before, and now all know that each needs its own.
                }
                // By now others may have used it up, as some receivers take a few requests only.
                Made::Http2(http2) if http2.is_usable(self.max_age) || http2.is_used() => {}
                Made::Http2(_) if dead < MAX_DEAD => {
                    dead += 1;
                    sleep(DEAD_PAUSE).await;
                }
                Made::Http2(_) => {
                    return Err(Failure::new(
                        FailureClass::Reset,
                        "the receiver ended each HTTP/2 connection before it answered a request",
                    ));
                }
            }
        }
        Ok(None)
    }

    /// Keeps a connection for the webhook's next request.
    pub(super) fn keep(&self, webhook_id: WebhookId, http1: Http1) {
        let mut idle = self.idle();
        if idle.count >= MAX_IDLE {
            idle.close_some();
        }
        idle.count += 1;
        idle.by_webhook.entry(webhook_id).or_default().push(http1);
    }

    /// From now on this endpoint is asked over HTTP/1 only.
    pub(super) fn use_http1(&self, endpoint: &Arc<Endpoint>) {
        self.origins()
            .entry(endpoint.clone())
            .or_default()
            .use_http1();
    }

    /// The one that was used last: the others may be given up.
    fn take(&self, webhook_id: WebhookId, endpoint: &Endpoint) -> Option<Http1> {
        let mut idle = self.idle();
        let kept = idle.by_webhook.get_mut(&webhook_id)?;
        let (mut looked_at, mut found) = (0, None);
        while let Some(http1) = kept.pop() {
            looked_at += 1;
            if http1.is_usable(endpoint, self.max_age) {
                found = Some(http1);
                break;
            }
        }
        if kept.is_empty() {
            idle.by_webhook.remove(&webhook_id);
        }
        idle.count -= looked_at;
        found
    }

    /// A connection of the request's own.
    async fn open_http1(
        &self,
        endpoint: &Arc<Endpoint>,
        waiting: &mut Waiting,
    ) -> Result<Connection, Failure> {
        let progress = Arc::new(Progress::start());
        waiting.for_own(&progress);
        let made = self.open(endpoint, &progress).await?;
        let unusable = || Failure::ours("the connection that was made could not be used");
        match &made {
            Made::Http1(place) => {
                let (http1, reused) = (place.take().ok_or_else(unusable)?, false);
                Ok(Connection::Http1 { http1, reused })
            }
            // It speaks HTTP/2 by now: for this request that is as well.
            Made::Http2(http2) => {
                let slot = http2.slot().ok_or_else(unusable)?;
                self.origins()
                    .entry(endpoint.clone())
                    .or_default()
                    .made(&made);
                let http2 = http2.clone();
                Ok(Connection::Http2 { http2, slot })
            }
        }
    }

    /// Makes a connection that is for whoever wants one, and goes on if nobody does any more.
    fn start(self: &Arc<Self>, endpoint: &Arc<Endpoint>) -> Connecting {
        let progress = Arc::new(Progress::start());
        let (pool, endpoint, shared) = (self.clone(), endpoint.clone(), progress.clone());
        let making = tokio::spawn(async move {
            let made = pool.open(&endpoint, &shared).await;
            let mut origins = pool.origins();
            let origin = origins.entry(endpoint).or_default();
            match &made {
                Ok(made) => origin.made(made),
                Err(_) => origin.failed(),
            }
            made
        });
        Connecting::new(progress, making)
    }

    async fn open(&self, endpoint: &Arc<Endpoint>, progress: &Progress) -> Result<Made, Failure> {
        let protocols = self.origins().get(endpoint).map(Origin::protocols);
        let protocols = protocols.unwrap_or(Protocols::All);
        let connecting = self.connector.connect(endpoint, progress, protocols);
        let stream = connecting.await?;
        if stream.is_http2() {
            let started = Http2::start(stream).await.map_err(|error| {
                Failure::new(
                    FailureClass::Protocol,
                    format_args!("HTTP/2 could not be started: {error}"),
                )
            });
            return Ok(Made::Http2(Arc::new(started?)));
        }
        let started = Http1::start(stream, endpoint.clone()).await;
        let started = started.map_err(|error| {
            Failure::new(
                FailureClass::Protocol,
                format_args!("HTTP/1.1 could not be started: {error}"),
            )
        });
        Ok(Made::http1(started?))
    }

    fn remove_old(&self) {
        let now = Instant::now();
        let mut idle = self.idle();
        let mut count = 0;
        idle.by_webhook.retain(|_, kept| {
            kept.retain(|http1| http1.is_alive(now, self.max_age));
            count += kept.len();
            !kept.is_empty()
        });
        idle.count = count;
        drop(idle);
        self.origins()
            .retain(|_, origin| origin.is_of_use(self.max_age));
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<Arc<Endpoint>, Origin>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what is not to be kept, for as long as there is a pool.
async fn sweep(pool: Weak<Pool>) {
    let mut sweeps = interval(SWEEP);
    loop {
        sweeps.tick().await;
        match pool.upgrade() {
            Some(pool) => pool.remove_old(),
            None => return,
        }
    }
}
