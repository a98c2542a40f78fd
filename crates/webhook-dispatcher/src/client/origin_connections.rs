//! The shared connections of an origin with TLS, and the protocol spoken there.

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
use super::progress::ConnectProgress;
use super::tls::Protocols;

/// How long the protocol of an unused origin is remembered.
const PROTOCOL_REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// The most HTTP/2 connections to an origin. A single connection is enough until all streams are in use,
/// as when the requests of some webhooks hang: then other webhooks get one more connection.
const MAX_CONNECTIONS: usize = 64;

/// An origin with TLS. Until the protocol is known, all requests wait for the first connection.
pub(super) struct OriginConnections {
    speaks: Speaks,
    http2: Vec<Arc<Http2>>,
    connecting: Option<Arc<Connecting>>,
    used: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Unknown,
    Http1,
    /// The receiver asked for HTTP/1 over HTTP/2.
    Http1Only,
    Http2,
}

/// How a request gets a connection.
pub(super) enum Choice {
    /// By a stream of an open connection.
    Stream(Arc<Http2>, Slot),
    /// By a new connection for the request alone.
    Own,
    /// By waiting for a shared connection being made.
    Wait(Arc<Connecting>),
    /// No stream is free, and there are as many connections as there may be.
    Full,
}

/// A connection just made.
#[derive(Clone)]
pub(super) enum NewConnection {
    /// For the first request to take the connection.
    Http1(Arc<HandOver>),
    /// For all requests.
    Http2(Arc<Http2>),
}

/// A connection waiting to be taken by a request.
pub(super) struct HandOver(Mutex<Option<Http1>>);

impl HandOver {
    pub(super) fn take(&self) -> Option<Http1> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl NewConnection {
    pub(super) fn http1(http1: Http1) -> Self {
        Self::Http1(Arc::new(HandOver(Mutex::new(Some(http1)))))
    }
}

/// A connection being made for all waiting requests.
pub(super) struct Connecting {
    progress: Arc<ConnectProgress>,
    making: Shared<BoxFuture<'static, Result<NewConnection, Failure>>>,
    counted: CountedFor,
}

impl Connecting {
    pub(super) fn new(
        progress: Arc<ConnectProgress>,
        making: JoinHandle<Result<NewConnection, Failure>>,
    ) -> Self {
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

    pub(super) fn progress(&self) -> &Arc<ConnectProgress> {
        &self.progress
    }

    /// Whether the task making the connection has ended. The task itself removes `Connecting` at the
    /// end, except after a panic.
    fn is_over(&self) -> bool {
        self.making.peek().is_some()
    }

    /// Waits for the connection. A failure counts once for each webhook, however many requests wait.
    pub(super) async fn made(&self, webhook_id: WebhookId) -> Result<NewConnection, Failure> {
        let made = self.making.clone().await;
        made.map_err(|failure| self.counted.count(failure, webhook_id))
    }

    /// The failure of a request after too long a wait for the connection.
    pub(super) fn timed_out(&self, webhook_id: WebhookId) -> Failure {
        self.counted.count(self.progress.timed_out(), webhook_id)
    }
}

impl Default for OriginConnections {
    fn default() -> Self {
        Self {
            speaks: Speaks::Unknown,
            http2: Vec::new(),
            connecting: None,
            used: Instant::now(),
        }
    }
}

impl OriginConnections {
    /// How a request gets a connection. `start` starts to make one.
    pub(super) fn next(&mut self, max_age: Duration, start: impl FnOnce() -> Connecting) -> Choice {
        self.used = Instant::now();
        // Requests running on the removed connections go on.
        self.http2.retain(|http2| http2.is_usable(max_age));
        for http2 in &self.http2 {
            if let Some(slot) = http2.slot() {
                return Choice::Stream(http2.clone(), slot);
            }
        }
        match self.speaks {
            Speaks::Http1 | Speaks::Http1Only => Choice::Own,
            Speaks::Unknown | Speaks::Http2 if self.http2.len() < MAX_CONNECTIONS => {
                Choice::Wait(self.connecting(start))
            }
            Speaks::Unknown | Speaks::Http2 => Choice::Full,
        }
    }

    /// The protocols to offer in the next handshake.
    pub(super) fn protocols(&self) -> Protocols {
        match self.speaks {
            Speaks::Http1Only => Protocols::Http1,
            Speaks::Unknown | Speaks::Http1 | Speaks::Http2 => Protocols::All,
        }
    }

    /// The connection being made, or else a new connection by `start`.
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

    /// Takes note of a connection just made.
    pub(super) fn made(&mut self, made: &NewConnection) {
        self.connecting = None;
        match made {
            NewConnection::Http1(_) if self.speaks == Speaks::Http1Only => {}
            NewConnection::Http1(_) => self.speaks = Speaks::Http1,
            NewConnection::Http2(http2) => {
                self.speaks = Speaks::Http2;
                self.http2.push(http2.clone());
            }
        }
    }

    /// Takes note that a connection could not be made.
    pub(super) fn failed(&mut self) {
        self.connecting = None;
    }

    pub(super) fn use_http1(&mut self) {
        self.speaks = Speaks::Http1Only;
        self.http2.clear();
    }

    /// Whether the origin is to be remembered.
    pub(super) fn is_of_use(&mut self, max_age: Duration) -> bool {
        self.http2.retain(|http2| http2.is_alive(max_age));
        !self.http2.is_empty()
            || self.connecting.is_some()
            || self.used.elapsed() < PROTOCOL_REMEMBERED
    }
}

#[cfg(test)]
mod tests;
