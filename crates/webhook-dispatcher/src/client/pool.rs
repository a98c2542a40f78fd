//! The connections that are open: those of HTTP/1 by webhook, those of HTTP/2 by endpoint.
//!
//! What follows an answer on an HTTP/1 connection would be taken for the next answer, so such a
//! connection never serves another webhook. Streams of HTTP/2 are apart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, interval};
use webhook_domain::{FailureClass, WebhookId};

use super::connector::Connector;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::http1::Http1;
use super::http2::Http2;
use super::origin::{Connecting, Made, Origin};
use super::progress::Progress;
use super::tls::Protocols;

/// The most HTTP/1 connections that wait for their next request. Beyond, connections are closed after
/// their answer.
const MAX_IDLE: usize = 2_048;

/// How often connections that waited too long, or are too old, are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// A connection for one request.
pub(super) enum Connection {
    /// One that nobody else has. `reused`: it has served a request before.
    Http1 {
        http1: Box<Http1>,
        reused: bool,
    },
    Http2(Arc<Http2>),
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
    by_webhook: HashMap<WebhookId, Vec<Box<Http1>>>,
    count: usize,
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

    /// A connection for a request of this webhook. `fresh`: one that was not open before. What it is
    /// waited for is told to `waiting`.
    pub(super) async fn connection(
        self: &Arc<Self>,
        webhook_id: WebhookId,
        endpoint: &Arc<Endpoint>,
        fresh: bool,
        waiting: &mut Option<Arc<Progress>>,
    ) -> Result<Connection, Failure> {
        if !fresh && let Some(http1) = self.take(webhook_id, endpoint) {
            let reused = true;
            return Ok(Connection::Http1 { http1, reused });
        }
        if endpoint.server_name().is_none() {
            return self.open_http1(endpoint, waiting).await;
        }
        let connecting = {
            let mut origins = self.origins();
            let origin = origins.entry(endpoint.clone()).or_default();
            match origin.connection(self.max_age) {
                Some(http2) => return Ok(Connection::Http2(http2)),
                None if origin.speaks_http1() => None,
                None => Some(origin.connecting(|| self.start(endpoint))),
            }
        };
        let Some(connecting) = connecting else {
            return self.open_http1(endpoint, waiting).await;
        };
        *waiting = Some(connecting.progress().clone());
        match connecting.made(webhook_id).await? {
            Made::Http2(http2) => Ok(Connection::Http2(http2)),
            Made::Http1(place) => match place.take() {
                Some(http1) => Ok(Connection::Http1 {
                    http1,
                    reused: false,
                }),
                // Another request was here before, and now all know that each needs its own.
                None => self.open_http1(endpoint, waiting).await,
            },
        }
    }

    /// Keeps a connection for the webhook's next request.
    pub(super) fn keep(&self, webhook_id: WebhookId, http1: Box<Http1>) {
        let mut idle = self.idle();
        if idle.count < MAX_IDLE {
            idle.count += 1;
            idle.by_webhook.entry(webhook_id).or_default().push(http1);
        }
    }

    /// From now on this endpoint is asked over HTTP/1 only.
    pub(super) fn use_http1(&self, endpoint: &Arc<Endpoint>) {
        self.origins()
            .entry(endpoint.clone())
            .or_default()
            .use_http1();
    }

    /// The one that was used last: the others may be given up.
    fn take(&self, webhook_id: WebhookId, endpoint: &Endpoint) -> Option<Box<Http1>> {
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
        waiting: &mut Option<Arc<Progress>>,
    ) -> Result<Connection, Failure> {
        let progress = Arc::new(Progress::start());
        *waiting = Some(progress.clone());
        match self.open(endpoint, &progress).await? {
            Made::Http1(place) => {
                let http1 = place.take().ok_or_else(|| {
                    Failure::ours("another request took the connection that was made for this one")
                })?;
                let reused = false;
                Ok(Connection::Http1 { http1, reused })
            }
            // It speaks HTTP/2 by now: for this request that is as well.
            Made::Http2(http2) => {
                self.origins()
                    .entry(endpoint.clone())
                    .or_default()
                    .made(&Made::Http2(http2.clone()));
                Ok(Connection::Http2(http2))
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
