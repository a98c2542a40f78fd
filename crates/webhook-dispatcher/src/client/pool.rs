//! Open connections: HTTP/1 connections by webhook, HTTP/2 connections by origin.
//!
//! Bytes after the end of a response on an HTTP/1 connection would be taken for the next response, so an
//! HTTP/1 connection never serves another webhook. The streams of an HTTP/2 connection are separate, so
//! webhooks share the connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, interval, sleep};
use webhook_domain::{FailureClass, WebhookId};

use super::connector::Connector;
use super::failure::Failure;
use super::http1::Http1;
use super::http2::{Http2, Slot};
use super::origin::Origin;
use super::origin_connections::{Choice, Connecting, NewConnection, OriginConnections};
use super::progress::ConnectProgress;
use super::tls::Protocols;

/// The most idle HTTP/1 connections. One more closes all idle connections of some webhook.
const MAX_IDLE: usize = 10_240;

/// How many new connections a request waits for before waiting for a stream of an open connection.
const MAX_ROUNDS: usize = 64;

/// How many new HTTP/2 connections in a row may end without a response. One more fails the attempt.
const MAX_DEAD: u32 = 10;

/// The pause after a new connection has ended without a response.
const DEAD_PAUSE: Duration = Duration::from_millis(10);

/// How often old connections, and connections idle for too long, are closed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A connection for a request.
pub(super) enum Connection {
    /// A connection for the request alone. `reused`: a connection with a request served before.
    Http1 { http1: Http1, reused: bool },
    /// A shared connection, and the right to a stream.
    Http2 { http2: Arc<Http2>, slot: Slot },
}

/// The new connection awaited by a request.
#[derive(Default)]
pub(crate) struct ConnectionWait {
    progress: Option<Arc<ConnectProgress>>,
    /// The shared connection being made. `None`: the request makes a connection alone.
    connecting: Option<Arc<Connecting>>,
}

impl ConnectionWait {
    /// How far the latest connection has come. `None`: the request has waited for none.
    pub(crate) fn progress(&self) -> Option<&ConnectProgress> {
        self.progress.as_deref()
    }

    /// The failure of a request whose connection was not there in time.
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

    fn for_own(&mut self, progress: &Arc<ConnectProgress>) {
        self.progress = Some(progress.clone());
        self.connecting = None;
    }
}

/// All connections of the process.
pub(super) struct Pool {
    connector: Arc<Connector>,
    /// The age at which a connection takes no more requests: the name may have moved, a backend may be
    /// drained, the address may be forbidden by now.
    max_age: Duration,
    idle: Mutex<Idle>,
    by_origin: Mutex<HashMap<Arc<Origin>, OriginConnections>>,
}

#[derive(Default)]
struct Idle {
    by_webhook: HashMap<WebhookId, Vec<Http1>>,
    count: usize,
}

impl Idle {
    /// Closes the idle connections of an arbitrary webhook, so no group of webhooks keeps all places.
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
            by_origin: Mutex::default(),
        });
        tokio::spawn(sweep(Arc::downgrade(&pool)));
        pool
    }

    /// A connection for a request of the webhook. `fresh`: no idle HTTP/1 connection. `None`: all
    /// streams of the origin are in use. `wait` names the new connection being made meanwhile.
    pub(super) async fn connection(
        self: &Arc<Self>,
        webhook_id: WebhookId,
        origin: &Arc<Origin>,
        fresh: bool,
        wait: &mut ConnectionWait,
    ) -> Result<Option<Connection>, Failure> {
        if !fresh && let Some(http1) = self.take(webhook_id, origin) {
            let reused = true;
            return Ok(Some(Connection::Http1 { http1, reused }));
        }
        if origin.server_name().is_none() {
            return self.open_http1(origin, wait).await.map(Some);
        }
        // A new connection may have fewer streams than waiting requests: the rest waits for another
        // round.
        let mut dead = 0;
        for _ in 0..MAX_ROUNDS {
            let next = {
                let mut by_origin = self.by_origin();
                let connections = by_origin.entry(origin.clone()).or_default();
                connections.next(self.max_age, || self.start(origin))
            };
            let connecting = match next {
                Choice::Stream(http2, slot) => return Ok(Some(Connection::Http2 { http2, slot })),
                Choice::Own => return self.open_http1(origin, wait).await.map(Some),
                Choice::Full => return Ok(None),
                Choice::Wait(connecting) => connecting,
            };
            wait.for_all(&connecting);
            match connecting.made(webhook_id).await? {
                NewConnection::Http1(place) => {
                    if let Some(http1) = place.take() {
                        let reused = false;
                        return Ok(Some(Connection::Http1 { http1, reused }));
                    }
                    // Another request was faster. The next round makes a connection for the request
                    // alone, as the origin is known to speak HTTP/1 now.
                }
                // A working connection, perhaps used up by other requests already, as some receivers
                // take only a few requests per connection. The next round looks for a stream.
                NewConnection::Http2(http2) if http2.is_usable(self.max_age) || http2.is_used() => {
                }
                NewConnection::Http2(_) if dead < MAX_DEAD => {
                    dead += 1;
                    sleep(DEAD_PAUSE).await;
                }
                NewConnection::Http2(_) => {
                    return Err(Failure::new(
                        FailureClass::Reset,
                        "the receiver ended each HTTP/2 connection before a response",
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

    /// Uses HTTP/1 for the origin from now on.
    pub(super) fn use_http1(&self, origin: &Arc<Origin>) {
        self.by_origin()
            .entry(origin.clone())
            .or_default()
            .use_http1();
    }

    /// Takes a usable idle connection of the webhook, if any.
    fn take(&self, webhook_id: WebhookId, origin: &Origin) -> Option<Http1> {
        let mut idle = self.idle();
        let kept = idle.by_webhook.get_mut(&webhook_id)?;
        let (mut looked_at, mut found) = (0, None);
        // The connection used last is the least likely to have been closed by the receiver.
        while let Some(http1) = kept.pop() {
            looked_at += 1;
            if http1.is_usable(origin, self.max_age) {
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

    /// Makes a connection for a single request.
    async fn open_http1(
        &self,
        origin: &Arc<Origin>,
        wait: &mut ConnectionWait,
    ) -> Result<Connection, Failure> {
        let progress = Arc::new(ConnectProgress::start());
        wait.for_own(&progress);
        let made = self.open(origin, &progress).await?;
        let unusable = || Failure::ours("the new connection could not be used");
        match &made {
            NewConnection::Http1(place) => {
                let (http1, reused) = (place.take().ok_or_else(unusable)?, false);
                Ok(Connection::Http1 { http1, reused })
            }
            // The receiver speaks HTTP/2 by now. The request takes a stream, and others share the
            // connection.
            NewConnection::Http2(http2) => {
                let slot = http2.slot().ok_or_else(unusable)?;
                self.by_origin()
                    .entry(origin.clone())
                    .or_default()
                    .made(&made);
                let http2 = http2.clone();
                Ok(Connection::Http2 { http2, slot })
            }
        }
    }

    /// Starts to make a connection for all waiting requests. The connection is made also if all requests
    /// are cut off meanwhile.
    fn start(self: &Arc<Self>, origin: &Arc<Origin>) -> Connecting {
        let progress = Arc::new(ConnectProgress::start());
        let (pool, origin, shared) = (self.clone(), origin.clone(), progress.clone());
        let making = tokio::spawn(async move {
            let made = pool.open(&origin, &shared).await;
            let mut by_origin = pool.by_origin();
            let connections = by_origin.entry(origin).or_default();
            match &made {
                Ok(made) => connections.made(made),
                Err(_) => connections.failed(),
            }
            made
        });
        Connecting::new(progress, making)
    }

    async fn open(
        &self,
        origin: &Arc<Origin>,
        progress: &ConnectProgress,
    ) -> Result<NewConnection, Failure> {
        let protocols = self
            .by_origin()
            .get(origin)
            .map(OriginConnections::protocols);
        let protocols = protocols.unwrap_or(Protocols::All);
        let connecting = self.connector.connect(origin, progress, protocols);
        let stream = connecting.await?;
        if stream.is_http2() {
            let started = Http2::start(stream).await.map_err(|error| {
                Failure::new(
                    FailureClass::Protocol,
                    format_args!("HTTP/2 could not be started: {error}"),
                )
            });
            return Ok(NewConnection::Http2(Arc::new(started?)));
        }
        let started = Http1::start(stream, origin.clone()).await;
        let started = started.map_err(|error| {
            Failure::new(
                FailureClass::Protocol,
                format_args!("HTTP/1.1 could not be started: {error}"),
            )
        });
        Ok(NewConnection::http1(started?))
    }

    /// Closes old connections and connections idle for too long, and forgets unused origins.
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
        self.by_origin()
            .retain(|_, connections| connections.is_of_use(self.max_age));
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn by_origin(&self) -> MutexGuard<'_, HashMap<Arc<Origin>, OriginConnections>> {
        self.by_origin
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes old connections for as long as the pool exists.
async fn sweep(pool: Weak<Pool>) {
    let mut sweeps = interval(SWEEP_INTERVAL);
    loop {
        sweeps.tick().await;
        match pool.upgrade() {
            Some(pool) => pool.remove_old(),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests;
