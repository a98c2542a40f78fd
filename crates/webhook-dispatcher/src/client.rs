//! The HTTP client: requests to receivers, down to the socket.
//!
//! ```text
//! client ──► pool ──► connector ──► resolver, addresses, tls
//!              ├──► http1: a connection of one webhook
//!              └──► http2: a connection of one origin, shared by its webhooks
//! ```
//!
//! In the words of RFC 9110, a request goes to a [`Target`], the webhook's URL, at an [`Origin`], the
//! URL's scheme, host and port.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::{Instant, sleep, timeout_at};
use webhook_domain::{FailureClass, FailureDetail, WebhookId};

// A request and a connection to send the request over.
mod origin;

mod pool;

mod origin_connections;

mod http1;

mod header_case;
mod http2;
mod response;

// A new connection.
mod connector;

mod addresses;
mod progress;
mod resolver;
mod tls;
mod wire;

mod failure;

pub(crate) use connector::{Connector, Handshake, NoConnector};
pub(crate) use failure::{Blame, Failure};
use http1::Http1;
use http2::Http2;
pub(crate) use origin::{Origin, Target};
use pool::{Connection, ConnectionWait, Pool};
pub(crate) use progress::{ConnectProgress, millis};
pub(crate) use response::Response;
pub(crate) use tls::Protocols;

/// How often a request may be sent in an attempt. More than twice only if the receiver says each time
/// that the request was not processed: a receiver may end HTTP/2 connections after a few requests, and
/// so turn some requests away more than once.
const MAX_SENDS: usize = 20;

/// How often a request waiting for an HTTP/2 stream looks for a free one.
const STREAM_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The pause after a second refusal. Doubles with each further refusal.
const REFUSAL_PAUSE: Duration = Duration::from_millis(5);

/// The longest pause after a refusal.
const MAX_REFUSAL_PAUSE: Duration = Duration::from_millis(500);

/// Sends requests over the connections of this process.
pub(crate) struct Client {
    pool: Arc<Pool>,
}

/// A request to be sent.
pub(crate) struct Outgoing<'a, H> {
    pub(crate) webhook_id: WebhookId,
    pub(crate) target: &'a Target,
    /// Makes the headers, anew each time the request is sent.
    pub(crate) headers: H,
    pub(crate) body: &'a Bytes,
    /// How long the receiver has.
    pub(crate) timeout: Duration,
    /// How much longer the request may wait for a stream, which is not the receiver's time.
    pub(crate) slack: Duration,
}

/// A trace of sending a request: connections, repetitions, deadline.
#[derive(Default)]
pub(crate) struct SendTrace {
    /// The new connection the request waited for, if any.
    pub(crate) wait: ConnectionWait,
    /// Why the request was sent more than once. `None`: sent once.
    pub(crate) repeated: Option<FailureDetail>,
    /// When the receiver's time is over. `None`: the request had no connection yet.
    pub(crate) deadline: Option<Instant>,
}

/// The time left for a request.
struct TimeLeft {
    /// When the receiver's time is over.
    deadline: Instant,
    /// How much longer the request may wait for a stream.
    slack: Duration,
}

/// Why sending a request once brought no response.
enum NoResponse {
    /// No byte of the request was sent.
    NotSent,
    /// The receiver said that the request was not processed.
    Refused(Failure),
    /// A connection used before ended before a byte of the response.
    Lost(Failure),
    /// The receiver may have worked on the request.
    Failed(Failure),
}

impl Client {
    pub(crate) fn new(connector: Arc<Connector>, max_age: Duration) -> Self {
        Self {
            pool: Pool::new(connector, max_age),
        }
    }

    /// Sends a request and reads the head of the response. The request is sent again, on a new
    /// connection, if certainly not processed by the receiver, or possibly not because of the
    /// connection's age.
    pub(crate) async fn send<H: Fn() -> HeaderMap>(
        &self,
        outgoing: &Outgoing<'_, H>,
        trace: &mut SendTrace,
    ) -> Result<Response, Failure> {
        let mut time = TimeLeft {
            deadline: Instant::now() + outgoing.timeout,
            slack: outgoing.slack,
        };
        let (mut fresh, mut was_lost, mut refusals) = (false, false, 0);
        let mut latest = None;
        for _ in 0..MAX_SENDS {
            let connection = self.connection(outgoing, fresh, &mut time, trace).await?;
            trace.deadline = Some(time.deadline);
            let sent = self.send_over(connection, outgoing, time.deadline).await;
            // No second try over an open connection: others of the same age may have ended, too.
            fresh = true;
            let failure = match sent {
                Ok(response) => return Ok(response),
                Err(NoResponse::NotSent) => continue,
                Err(NoResponse::Failed(failure)) => return Err(failure),
                // Once only: the receiver may have processed a request of a lost connection.
                Err(NoResponse::Lost(failure)) if was_lost => return Err(failure),
                Err(NoResponse::Lost(failure)) => {
                    was_lost = true;
                    failure
                }
                Err(NoResponse::Refused(failure)) => {
                    refusals += 1;
                    let pausing = sleep(pause_after(refusals));
                    let _ = timeout_at(time.deadline, pausing).await;
                    failure
                }
            };
            trace.repeated = Some(failure.detail.clone());
            latest = Some(failure);
        }
        Err(latest.unwrap_or_else(|| {
            Failure::new(
                FailureClass::Reset,
                "the receiver ended every connection before taking the request",
            )
        }))
    }

    /// A connection for a request. The wait for an HTTP/2 stream is added to the deadline.
    async fn connection<H>(
        &self,
        outgoing: &Outgoing<'_, H>,
        fresh: bool,
        time: &mut TimeLeft,
        trace: &mut SendTrace,
    ) -> Result<Connection, Failure> {
        let (webhook_id, origin) = (outgoing.webhook_id, outgoing.target.origin());
        loop {
            let wait = &mut trace.wait;
            let making = self.pool.connection(webhook_id, origin, fresh, wait);
            match timeout_at(time.deadline, making).await {
                Ok(Ok(Some(connection))) => return Ok(connection),
                Ok(Ok(None)) if time.slack < STREAM_POLL_INTERVAL => {
                    return Err(Failure::ours(
                        "no HTTP/2 stream to the receiver became free",
                    ));
                }
                Ok(Ok(None)) => {
                    sleep(STREAM_POLL_INTERVAL).await;
                    time.slack -= STREAM_POLL_INTERVAL;
                    time.deadline += STREAM_POLL_INTERVAL;
                }
                Ok(Err(failure)) => return Err(failure),
                Err(_) => {
                    let timed_out = trace.wait.timed_out(webhook_id);
                    return Err(timed_out.unwrap_or_else(|| took_too_long(outgoing.timeout)));
                }
            }
        }
    }

    async fn send_over<H: Fn() -> HeaderMap>(
        &self,
        connection: Connection,
        outgoing: &Outgoing<'_, H>,
        deadline: Instant,
    ) -> Result<Response, NoResponse> {
        match connection {
            Connection::Http1 { http1, reused } => {
                self.send_http1(outgoing, http1, reused, deadline).await
            }
            Connection::Http2 { http2, slot } => {
                self.send_http2(outgoing, &http2, slot, deadline).await
            }
        }
    }

    async fn send_http1<H: Fn() -> HeaderMap>(
        &self,
        outgoing: &Outgoing<'_, H>,
        mut http1: Http1,
        reused: bool,
        deadline: Instant,
    ) -> Result<Response, NoResponse> {
        let (target, body) = (outgoing.target, outgoing.body.clone());
        let sending = http1.send(target, (outgoing.headers)(), body);
        match timeout_at(deadline, sending).await {
            Ok(Ok(response)) => {
                let (webhook_id, pool) = (outgoing.webhook_id, self.pool.clone());
                Ok(Response::of_http1(response, http1, webhook_id, pool))
            }
            Ok(Err(http1::Unanswered::NotSent(Some(error)))) if !reused => {
                let failure = failure::of_http1(&error, http1.wire());
                Err(NoResponse::Failed(failure))
            }
            Ok(Err(http1::Unanswered::NotSent(_))) => Err(NoResponse::NotSent),
            Ok(Err(http1::Unanswered::Failed(error))) => {
                let failure = failure::of_http1(&error, http1.wire());
                if reused && !http1.wire().has_begun() {
                    return Err(NoResponse::Lost(failure));
                }
                Err(NoResponse::Failed(failure))
            }
            Err(_) => Err(NoResponse::Failed(took_too_long(outgoing.timeout))),
        }
    }

    async fn send_http2<H: Fn() -> HeaderMap>(
        &self,
        outgoing: &Outgoing<'_, H>,
        http2: &Arc<Http2>,
        slot: http2::Slot,
        deadline: Instant,
    ) -> Result<Response, NoResponse> {
        let (target, body) = (outgoing.target, outgoing.body.clone());
        let (reused, heard) = (http2.is_used(), http2.wire().received());
        let sending = http2.send(target, (outgoing.headers)(), body);
        let error = match timeout_at(deadline, sending).await {
            Ok(Ok(response)) => return Ok(Response::of_http2(response, slot)),
            Ok(Err(http2::Unanswered::NotSent)) => {
                http2.retire();
                return Err(NoResponse::NotSent);
            }
            Ok(Err(http2::Unanswered::Failed(error))) => error,
            Err(_) => {
                // The connection may be at fault, so further requests take another connection.
                http2.retire();
                let failure = took_too_long(outgoing.timeout);
                let is_silent = http2.wire().received() == heard;
                return Err(NoResponse::Failed(match is_silent {
                    true => http2.counted(failure, outgoing.webhook_id),
                    false => failure,
                }));
            }
        };
        let failure = failure::of_http2(&error, http2.wire());
        Err(match http2::Loss::of(&error) {
            http2::Loss::Stream => NoResponse::Failed(failure),
            http2::Loss::WantsHttp1 => {
                self.pool.use_http1(target.origin());
                NoResponse::Refused(failure)
            }
            http2::Loss::Refused => NoResponse::Refused(failure),
            http2::Loss::Unprocessed => {
                http2.retire();
                NoResponse::Refused(failure)
            }
            http2::Loss::Connection => {
                http2.retire();
                let failure = http2.counted(failure, outgoing.webhook_id);
                if reused {
                    NoResponse::Lost(failure)
                } else {
                    NoResponse::Failed(failure)
                }
            }
        })
    }
}

/// No pause after the first refusal, then longer and longer pauses: the receiver may be shedding load.
fn pause_after(refusals: u32) -> Duration {
    match refusals {
        0 | 1 => Duration::ZERO,
        more => (REFUSAL_PAUSE * 2_u32.saturating_pow(more - 2)).min(MAX_REFUSAL_PAUSE),
    }
}

/// The failure of a request sent and not answered in time.
fn took_too_long(timeout: Duration) -> Failure {
    let seconds = timeout.as_secs_f64();
    Failure::new(
        FailureClass::Timeout,
        format_args!("the receiver did not answer within {seconds} s"),
    )
}

#[cfg(test)]
mod tests;
