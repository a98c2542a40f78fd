//! What is known of an endpoint with TLS, and its HTTP/2 connection if it has one.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use webhook_domain::WebhookId;

use super::failure::{Blame, Failure};
use super::http1::Http1;
use super::http2::Http2;
use super::progress::Progress;
use super::tls::Protocols;

/// How long it is remembered which protocol an endpoint speaks.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// An endpoint with TLS. Until it is known what it speaks, one connection is made for all.
pub(super) struct Origin {
    speaks: Speaks,
    http2: Option<Arc<Http2>>,
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

/// A connection that was made.
#[derive(Clone)]
pub(super) enum Made {
    /// For the first one who takes it.
    Http1(Arc<Place>),
    /// For all.
    Http2(Arc<Http2>),
}

/// Holds a connection until somebody takes it.
pub(super) struct Place(Mutex<Option<Box<Http1>>>);

impl Place {
    pub(super) fn take(&self) -> Option<Box<Http1>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Made {
    pub(super) fn http1(http1: Http1) -> Self {
        Self::Http1(Arc::new(Place(Mutex::new(Some(Box::new(http1))))))
    }
}

/// A connection that is being made for all who wait for it.
pub(super) struct Connecting {
    progress: Arc<Progress>,
    making: Shared<BoxFuture<'static, Result<Made, Failure>>>,
    /// The webhooks that its failure was counted for.
    counted: Mutex<HashSet<WebhookId>>,
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
            counted: Mutex::default(),
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
        self.making.clone().await.map_err(|failure| {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            if failure.blame == Blame::Receiver && !counted.insert(webhook_id) {
                let blame = Blame::Counted;
                return Failure { blame, ..failure };
            }
            failure
        })
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            speaks: Speaks::Unknown,
            http2: None,
            connecting: None,
            used: Instant::now(),
        }
    }
}

impl Origin {
    /// Its HTTP/2 connection, if that takes more requests.
    pub(super) fn connection(&mut self, max_age: Duration) -> Option<Arc<Http2>> {
        self.used = Instant::now();
        if self
            .http2
            .as_ref()
            .is_some_and(|http2| !http2.is_usable(max_age))
        {
            // What runs on it goes on.
            self.http2 = None;
        }
        self.http2.clone()
    }

    /// Whether each request needs a connection of its own.
    pub(super) fn speaks_http1(&self) -> bool {
        matches!(self.speaks, Speaks::Http1 | Speaks::Http1Only)
    }

    /// What is offered to it.
    pub(super) fn protocols(&self) -> Protocols {
        match self.speaks {
            Speaks::Http1Only => Protocols::Http1,
            Speaks::Unknown | Speaks::Http1 | Speaks::Http2 => Protocols::All,
        }
    }

    /// The connection that is being made, or the one that `start` starts.
    pub(super) fn connecting(&mut self, start: impl FnOnce() -> Connecting) -> Arc<Connecting> {
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
                self.http2 = Some(http2.clone());
            }
        }
    }

    /// The connection that was being made could not be made.
    pub(super) fn failed(&mut self) {
        self.connecting = None;
    }

    pub(super) fn use_http1(&mut self) {
        self.speaks = Speaks::Http1Only;
        self.http2 = None;
    }

    /// Whether it is to be remembered.
    pub(super) fn is_of_use(&mut self, max_age: Duration) -> bool {
        if self
            .http2
            .as_ref()
            .is_some_and(|http2| !http2.is_alive(max_age))
        {
            self.http2 = None;
        }
        self.http2.is_some() || self.connecting.is_some() || self.used.elapsed() < REMEMBERED
    }
}
