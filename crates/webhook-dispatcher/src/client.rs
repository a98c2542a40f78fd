//! Requests to receivers, down to the socket.
//!
//! ```text
//! client ──► pool ──► connector ──► resolver, addresses, tls
//!              │
//!              ├──► http1: a connection of one webhook
//!              └──► http2: a connection of one endpoint
//! ```

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::{Instant, sleep, timeout_at};
use webhook_domain::{FailureClass, FailureDetail, WebhookId};

mod addresses;
mod answer;
mod connector;
mod endpoint;
mod failure;
mod header_case;
mod http1;
mod http2;
mod origin;
mod pool;
mod progress;
mod resolver;
mod tls;
mod wire;

pub(crate) use answer::Answer;
pub(crate) use connector::{Connector, Handshake, NoConnector};
pub(crate) use endpoint::{Endpoint, Target};
pub(crate) use failure::{Blame, Failure};
use http1::Http1;
use http2::Http2;
use pool::{Connection, Pool, Waiting};
pub(crate) use progress::{Progress, millis};
pub(crate) use tls::Protocols;

/// How often a request may be sent in one attempt. More than twice only if the receiver says that it
/// did not look at it: one that ends its HTTP/2 connections after a few requests turns some away more
/// than once.
const MAX_SENDS: usize = 20;

/// How often a request that waits for a stream looks whether one is free.
const STREAM_PAUSE: Duration = Duration::from_millis(10);

/// The pause after a second refusal, and the longest one after further refusals.
const REFUSAL_PAUSE: Duration = Duration::from_millis(5);
const MAX_REFUSAL_PAUSE: Duration = Duration::from_millis(500);

/// Sends requests over the connections of this process.
pub(crate) struct Client {
    pool: Arc<Pool>,
}

/// A request that is to be sent.
pub(crate) struct Outgoing<'a, H> {
    pub(crate) webhook_id: WebhookId,
    pub(crate) target: &'a Target,
    /// Makes the headers, again if the request is sent again.
    pub(crate) headers: H,
    pub(crate) body: &'a Bytes,
    /// How long the receiver has.
    pub(crate) timeout: Duration,
    /// How much longer it may take because of us: what waits for a stream is not the receiver's time.
    pub(crate) slack: Duration,
}

/// What happened on the way to an answer.
#[derive(Default)]
pub(crate) struct Course {
    /// The connection that the request waited for, if it waited for one.
    pub(crate) waiting: Waiting,
    /// Why it was sent more than once, if it was.
    pub(crate) repeated: Option<FailureDetail>,
    /// When the receiver's time is over.
    pub(crate) deadline: Option<Instant>,
}

/// How much time is left.
struct Time {
    /// When the receiver's is over.
    deadline: Instant,
    /// How much longer it may take because of us.
    slack: Duration,
}

/// Why one sending of a request brought no answer.
enum NoAnswer {
    /// The request was not sent at all.
    NotSent,
    /// The receiver said that it did not look at the request.
    Refused(Failure),
    /// The connection, which had served another request before, was gone before a byte of the answer.
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

    /// Sends a request and reads the answer's head. A request that was certainly not looked at, or
    /// that may not have been because its connection was old, is sent again on a fresh one.
    pub(crate) async fn send<H: Fn() -> HeaderMap>(
        &self,
        outgoing: &Outgoing<'_, H>,
        course: &mut Course,
    ) -> Result<Answer, Failure> {
        let mut time = Time {
            deadline: Instant::now() + outgoing.timeout,
            slack: outgoing.slack,
        };
        let (mut fresh, mut was_lost, mut refusals) = (false, false, 0);
        let mut latest = None;
        for _ in 0..MAX_SENDS {
            let connection = self.connection(outgoing, fresh, &mut time, course).await?;
            course.deadline = Some(time.deadline);
            let sent = self.send_over(connection, outgoing, time.deadline).await;
            fresh = true;
            let failure = match sent {
                Ok(answer) => return Ok(answer),
                Err(NoAnswer::NotSent) => continue,
                Err(NoAnswer::Failed(failure)) => return Err(failure),
                Err(NoAnswer::Lost(failure)) if was_lost => return Err(failure),
                Err(NoAnswer::Lost(failure)) => {
                    was_lost = true;
                    failure
                }
                Err(NoAnswer::Refused(failure)) => {
                    refusals += 1;
                    let pausing = sleep(pause_after(refusals));
                    let _ = timeout_at(time.deadline, pausing).await;
                    failure
                }
            };
            course.repeated = Some(failure.detail.clone());
            latest = Some(failure);
        }
        Err(latest.unwrap_or_else(|| {
            Failure::new(
                FailureClass::Reset,
                "the receiver ended one connection after the other before it took the request",
            )
        }))
    }

    /// A connection for a request. Waiting for a stream of HTTP/2 is not the receiver's time.
    async fn connection<H>(
        &self,
        outgoing: &Outgoing<'_, H>,
        fresh: bool,
        time: &mut Time,
        course: &mut Course,
    ) -> Result<Connection, Failure> {
        let (webhook_id, endpoint) = (outgoing.webhook_id, outgoing.target.endpoint());
        loop {
            let waiting = &mut course.waiting;
            let making = self.pool.connection(webhook_id, endpoint, fresh, waiting);
            match timeout_at(time.deadline, making).await {
                Ok(Ok(Some(connection))) => return Ok(connection),
                Ok(Ok(None)) if time.slack < STREAM_PAUSE => {
                    return Err(Failure::ours(
                        "no HTTP/2 stream to the receiver became free",
                    ));
                }
                Ok(Ok(None)) => {
                    sleep(STREAM_PAUSE).await;
                    time.slack -= STREAM_PAUSE;
                    time.deadline += STREAM_PAUSE;
                }
                Ok(Err(failure)) => return Err(failure),
                Err(_) => {
                    let timed_out = course.waiting.timed_out(webhook_id);
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
    ) -> Result<Answer, NoAnswer> {
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
    ) -> Result<Answer, NoAnswer> {
        let (target, body) = (outgoing.target, outgoing.body.clone());
        let sending = http1.send(target, (outgoing.headers)(), body);
        match timeout_at(deadline, sending).await {
            Ok(Ok(response)) => {
                let (webhook_id, pool) = (outgoing.webhook_id, self.pool.clone());
                Ok(Answer::of_http1(response, http1, webhook_id, pool))
            }
            Ok(Err(http1::Unanswered::NotSent(Some(error)))) if !reused => {
                let failure = failure::of_http1(&error, http1.wire());
                Err(NoAnswer::Failed(failure))
            }
            Ok(Err(http1::Unanswered::NotSent(_))) => Err(NoAnswer::NotSent),
            Ok(Err(http1::Unanswered::Failed(error))) => {
                let failure = failure::of_http1(&error, http1.wire());
                if reused && !http1.wire().has_begun() {
                    return Err(NoAnswer::Lost(failure));
                }
                Err(NoAnswer::Failed(failure))
            }
            Err(_) => Err(NoAnswer::Failed(took_too_long(outgoing.timeout))),
        }
    }

    async fn send_http2<H: Fn() -> HeaderMap>(
        &self,
        outgoing: &Outgoing<'_, H>,
        http2: &Arc<Http2>,
        slot: http2::Slot,
        deadline: Instant,
    ) -> Result<Answer, NoAnswer> {
        let (target, body) = (outgoing.target, outgoing.body.clone());
        let (reused, heard) = (http2.is_used(), http2.wire().received());
        let sending = http2.send(target, (outgoing.headers)(), body);
        let error = match timeout_at(deadline, sending).await {
            Ok(Ok(response)) => return Ok(Answer::of_http2(response, slot)),
            Ok(Err(http2::Unanswered::NotSent)) => {
                http2.retire();
                return Err(NoAnswer::NotSent);
            }
            Ok(Err(http2::Unanswered::Failed(error))) => error,
            Err(_) => {
                // The fault may be the connection's: other requests take another connection.
                http2.retire();
                let failure = took_too_long(outgoing.timeout);
                let is_silent = http2.wire().received() == heard;
                return Err(NoAnswer::Failed(match is_silent {
                    true => http2.counted(failure, outgoing.webhook_id),
                    false => failure,
                }));
            }
        };
        let failure = failure::of_http2(&error, http2.wire());
        Err(match http2::Loss::of(&error) {
            http2::Loss::Stream => NoAnswer::Failed(failure),
            http2::Loss::WantsHttp1 => {
                self.pool.use_http1(target.endpoint());
                NoAnswer::Refused(failure)
            }
            http2::Loss::Refused => NoAnswer::Refused(failure),
            http2::Loss::Unprocessed => {
                http2.retire();
                NoAnswer::Refused(failure)
            }
            http2::Loss::Connection => {
                http2.retire();
                let failure = http2.counted(failure, outgoing.webhook_id);
                if reused {
                    NoAnswer::Lost(failure)
                } else {
                    NoAnswer::Failed(failure)
                }
            }
        })
    }
}

/// None after the first refusal, then longer and longer: the receiver may be shedding load.
fn pause_after(refusals: u32) -> Duration {
    match refusals {
        0 | 1 => Duration::ZERO,
        more => (REFUSAL_PAUSE * 2_u32.saturating_pow(more - 2)).min(MAX_REFUSAL_PAUSE),
    }
}

/// The receiver has the request, and did not answer in time.
fn took_too_long(timeout: Duration) -> Failure {
    let seconds = timeout.as_secs_f64();
    Failure::new(
        FailureClass::Timeout,
        format_args!("the receiver did not answer within {seconds} s"),
    )
}

#[cfg(test)]
mod tests;
