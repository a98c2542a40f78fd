//! What is known of an endpoint with TLS, and its HTTP/2 connections if it has some.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use webhook_domain::WebhookId;

use super::failure::{CountedFor, Failure};
use super::http1::Http1;
use super::http2::{Http2, Slot};
use super::progress::Progress;
use super::tls::Protocols;

/// How long it is remembered which protocol an endpoint speaks.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// The most HTTP/2 connections to an endpoint. One is enough until its streams are all in use, as they
/// are when requests of some webhooks hang: those of the others get a connection more.
const MAX_CONNECTIONS: usize = 64;

/// An endpoint with TLS. Until it is known what it speaks, one connection is made for all.
pub(super) struct Origin {
    speaks: Speaks,
    http2: Vec<Arc<Http2>>,
    connecting: Option<Arc<Connecting>>,
    used: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Unknown,
    Http1,
    /// Because the receiver asked for it over HTTP/2.
    Http1Only,
    Http2,
}

/// How a request gets a connection.
pub(super) enum Next {
    /// It has a stream.
    Stream(Arc<Http2>, Slot),
    /// It makes one of its own.
    Own,
    /// It waits for one that is being made.
    Wait(Arc<Connecting>),
    /// No stream is free, and there are as many connections as there may be.
    Full,
}

/// A connection that was made.
#[derive(Clone)]
pub(super) enum Made {
    /// For the first one who takes it.
    Http1(Arc<Place>),
    /// For all.
    Http2(Arc<Http2>),
}

/// Holds a connection until somebody takes it.
pub(super) struct Place(Mutex<Option<Http1>>);

impl Place {
    pub(super) fn take(&self) -> Option<Http1> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Made {
    pub(super) fn http1(http1: Http1) -> Self {
        Self::Http1(Arc::new(Place(Mutex::new(Some(http1)))))
    }
}

/// A connection that is being made for all who wait for it.
pub(super) struct Connecting {
    progress: Arc<Progress>,
    making: Shared<BoxFuture<'static, Result<Made, Failure>>>,
    counted: CountedFor,
}

impl Connecting {
    pub(super) fn new(progress: Arc<Progress>, making: JoinHandle<Result<Made, Failure>>) -> Self {
        let making = making.map(|ended| {
            ended.unwrap_or_else(|error| {
                Err(Failure::ours(format_args!(
                    "making the connection broke: {error}"
                )))
            })
        });
        Self {
            progress,
            making: making.boxed().shared(),
            counted: CountedFor::default(),
        }
    }

    pub(super) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Whether it came to its end. The one who makes a connection takes it away at its end, but for one
    /// that broke.
    fn is_over(&self) -> bool {
        self.making.peek().is_some()
    }

    /// Waits for it. Its failure counts once for each webhook, however many requests wait.
    pub(super) async fn made(&self, webhook_id: WebhookId) -> Result<Made, Failure> {
        let made = self.making.clone().await;
        made.map_err(|failure| self.counted.count(failure, webhook_id))
    }

    /// What it means that it was not there in time.
    pub(super) fn timed_out(&self, webhook_id: WebhookId) -> Failure {
        self.counted.count(self.progress.timed_out(), webhook_id)
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            speaks: Speaks::Unknown,
            http2: Vec::new(),
            connecting: None,
            used: Instant::now(),
        }
    }
}

impl Origin {
    /// How a request gets a connection; `start` starts to make one.
    pub(super) fn next(&mut self, max_age: Duration, start: impl FnOnce() -> Connecting) -> Next {
        self.used = Instant::now();
        // What runs on those that take no more requests goes on.
        self.http2.retain(|http2| http2.is_usable(max_age));
        for http2 in &self.http2 {
            if let Some(slot) = http2.slot() {
                return Next::Stream(http2.clone(), slot);
            }
        }
        match self.speaks {
            Speaks::Http1 | Speaks::Http1Only => Next::Own,
            Speaks::Unknown | Speaks::Http2 if self.http2.len() < MAX_CONNECTIONS => {
                Next::Wait(self.connecting(start))
            }
            Speaks::Unknown | Speaks::Http2 => Next::Full,
        }
    }

    /// What is offered to it.
    pub(super) fn protocols(&self) -> Protocols {
        match self.speaks {
            Speaks::Http1Only => Protocols::Http1,
            Speaks::Unknown | Speaks::Http1 | Speaks::Http2 => Protocols::All,
        }
    }

    /// The connection that is being made, or the one that `start` starts.
    fn connecting(&mut self, start: impl FnOnce() -> Connecting) -> Arc<Connecting> {
        if self
            .connecting
            .as_ref()
            .is_some_and(|connecting| connecting.is_over())
        {
            self.connecting = None;
        }
        let connecting = self.connecting.get_or_insert_with(|| Arc::new(start()));
        connecting.clone()
    }

    /// A connection was made.
    pub(super) fn made(&mut self, made: &Made) {
        self.connecting = None;
        match made {
            Made::Http1(_) if self.speaks == Speaks::Http1Only => {}
            Made::Http1(_) => self.speaks = Speaks::Http1,
            Made::Http2(http2) => {
                self.speaks = Speaks::Http2;
                self.http2.push(http2.clone());
            }
        }
    }

    /// The connection that was being made could not be made.
    pub(super) fn failed(&mut self) {
        self.connecting = None;
    }

    pub(super) fn use_http1(&mut self) {
        self.speaks = Speaks::Http1Only;
        self.http2.clear();
    }

    /// Whether it is to be remembered.
    pub(super) fn is_of_use(&mut self, max_age: Duration) -> bool {
        self.http2.retain(|http2| http2.is_alive(max_age));
        !self.http2.is_empty() || self.connecting.is_some() || self.used.elapsed() < REMEMBERED
    }
}
