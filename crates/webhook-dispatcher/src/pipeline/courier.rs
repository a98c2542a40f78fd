//! The courier: an attempt for a delivery, and the verdict on the outcome.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use log::Level;
use uuid::Uuid;
use webhook_domain::{
    ExhaustedDelivery, FailureDetail, JudgedAnswer, Observation, Occasion, Outcome, Progress,
    StatusEvent, StatusEventType, TraceContext, Verdict, decide,
};
use webhook_store::attempts::{Attempt, AttemptResult, NextState};
use webhook_store::destinations::Destination;
use webhook_store::settings::MessageLinks;
use webhook_store::{LeasedDelivery, LeasedFrom};

use super::destinations::ReadyDestination;
use super::meter::Meter;
use super::request::{self, MadeAttempt, TimeLimits};
use super::results::{JudgedAttempt, Results};
use crate::client::{Client, Failure};
use crate::readiness::Readiness;

/// Makes attempts and hands in results.
pub(crate) struct Courier {
    client: Client,
    /// The longest timeout of an attempt, also under a retry policy with a longer one.
    max_timeout: Duration,
    results: Results,
    /// Counts the results that are handed in.
    readiness: Arc<Readiness>,
    meter: Meter,
}

impl Courier {
    pub(crate) fn new(
        client: Client,
        lease: Duration,
        results: Results,
        readiness: Arc<Readiness>,
        meter: Meter,
    ) -> Self {
        Self {
            client,
            readiness,
            meter,
            // A lease outlives the longest attempt, with as much time again to record the result.
            max_timeout: lease / 2,
            results,
        }
    }

    /// Whether the lease could end before the end of an attempt begun at `now`: then another worker
    /// might attempt the delivery at the same time.
    pub(crate) fn would_outlive_lease(
        &self,
        destination: &ReadyDestination,
        leased: &LeasedDelivery,
        now: DateTime<Utc>,
    ) -> bool {
        let timeout = self.timeout(&destination.stored);
        let timeout = TimeDelta::from_std(timeout).unwrap_or(TimeDelta::MAX);
        leased.lease_until - now < timeout
    }

    /// Makes an attempt: request, response, verdict, result. The error says why no attempt was made.
    pub(crate) async fn attempt(
        &self,
        destination: &ReadyDestination,
        links: &MessageLinks,
        leased: &LeasedDelivery,
    ) -> Result<JudgedAnswer, Failure> {
        let limits = self.time_limits(&destination.stored, leased, Utc::now());
        let sent = request::send_signed(&self.client, destination, links, leased, limits);
        let made = sent.await?;
        let answer = made.answer;
        log_outcome(leased, &made.attempt, answer.outcome);
        self.meter.count(leased, &made.attempt, answer.outcome);
        let judged = judge(&destination.stored, leased, made, Utc::now());
        // Before the channel, which may be full because the recorder stands still.
        self.readiness.count_handed_in();
        // Waits while the channel is full. The runner makes no further attempt meanwhile.
        if self.results.send(judged).await.is_err() {
            log::error!(
                "the recorder has stopped; the delivery is attempted again when its lease ends"
            );
        }
        Ok(answer)
    }

    fn time_limits(
        &self,
        destination: &Destination,
        leased: &LeasedDelivery,
        now: DateTime<Utc>,
    ) -> TimeLimits {
        let timeout = self.timeout(destination);
        let lease = (leased.lease_until - now).to_std().unwrap_or_default();
        TimeLimits {
            timeout,
            // Half of the rest of the lease: the result is to be recorded within the lease, too.
            slack: (lease.saturating_sub(timeout) / 2).min(timeout),
        }
    }

    fn timeout(&self, destination: &Destination) -> Duration {
        destination.policy.timeout.min(self.max_timeout)
    }
}

/// The attempt with its verdict: the record, and the next state of the delivery.
fn judge(
    destination: &Destination,
    leased: &LeasedDelivery,
    made: MadeAttempt,
    now: DateTime<Utc>,
) -> JudgedAttempt {
    let MadeAttempt {
        mut attempt,
        transcript,
        answer,
        counts_for_circuit,
    } = made;
    let progress = Progress {
        attempts: (attempt.number - leased.schedule_from).unsigned_abs(),
        throttled: leased.throttled.unsigned_abs(),
        age: (now - leased.schedule_since).to_std().unwrap_or_default(),
    };
    let verdict = decide(
        answer.outcome,
        progress,
        &destination.policy,
        rand::random(),
    );
    let next = next_state(verdict, leased, now);
    // No service of the platform waits for a test's event.
    let exhausts = verdict == Verdict::GiveUp && !leased.is_test();
    let status_event = exhausts.then(|| exhausted(leased, &attempt, now));
    let has_ended = match next {
        NextState::Succeeded | NextState::Failed => true,
        NextState::RetryAt(_) => false,
        NextState::PutOffTo(_) => {
            note_put_off(&mut attempt);
            false
        }
    };
    JudgedAttempt {
        // The circuit waits for every end of a probe.
        observation: (counts_for_circuit || leased.leased_from == LeasedFrom::Probe)
            .then(|| observation(leased, answer, verdict, now)),
        ends_turn_of: leased.ordering_key.filter(|_| has_ended),
        result: AttemptResult {
            attempt,
            exchange: transcript,
            next,
            webhook_id: leased.webhook_id,
            environment: leased.event.environment,
            event_type: leased.event.event_type,
            is_test: leased.is_test(),
            lease_until: leased.lease_until,
            status_event,
        },
    }
}

/// The next state of a delivery after a verdict.
fn next_state(verdict: Verdict, leased: &LeasedDelivery, now: DateTime<Utc>) -> NextState {
    match verdict {
        Verdict::Succeed => NextState::Succeeded,
        // An admin looks at a test's response now, not in an hour: a test has no retries.
        Verdict::Retry(_) | Verdict::PutOff(_) if leased.is_test() => NextState::Failed,
        Verdict::Retry(delay) => NextState::RetryAt(now + delay),
        Verdict::PutOff(delay) => NextState::PutOffTo(now + delay),
        Verdict::GiveUp | Verdict::Disable => NextState::Failed,
    }
}

/// The observation of an attempt, for the webhook's circuit.
fn observation(
    leased: &LeasedDelivery,
    answer: JudgedAnswer,
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Observation {
    let occasion = match leased.leased_from {
        _ if leased.is_test() => Occasion::Test,
        LeasedFrom::Probe => Occasion::Probe,
        LeasedFrom::Intake | LeasedFrom::Backlog => Occasion::Due,
    };
    let costs_an_attempt = match verdict {
        Verdict::Retry(_) | Verdict::GiveUp => true,
        Verdict::Succeed | Verdict::PutOff(_) | Verdict::Disable => false,
    };
    let outcome = match answer.outcome {
        // A 429 at the cost of an attempt is a failure like any other.
        Outcome::Throttled { retry_after } if costs_an_attempt => {
            Outcome::Overloaded { retry_after }
        }
        outcome @ (Outcome::Accepted
        | Outcome::Gone
        | Outcome::Refused
        | Outcome::Forbidden
        | Outcome::Throttled { .. }
        | Outcome::Overloaded { .. }
        | Outcome::Failed { .. }) => outcome,
    };
    Observation {
        outcome,
        occasion,
        ended_at: now,
        rate: answer.rate,
        meaning: answer.meaning,
    }
}

/// Says in the delivery's log why the attempt cost none.
fn note_put_off(attempt: &mut Attempt) {
    if let Some(detail) = &attempt.failure_detail {
        let detail = FailureDetail::of(format_args!(
            "{detail}, which costs no attempt while the delivery is younger than the span of the retry policy"
        ));
        attempt.failure_detail = Some(detail);
    }
}

/// The status event about an exhausted delivery, for the platform's services.
fn exhausted(leased: &LeasedDelivery, attempt: &Attempt, now: DateTime<Utc>) -> StatusEvent {
    StatusEvent {
        id: Uuid::now_v7(),
        event_type: StatusEventType::DeliveryExhausted,
        environment: leased.event.environment,
        timestamp: now,
        webhook_id: leased.webhook_id,
        reason: attempt
            .failure_detail
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        delivery: Some(ExhaustedDelivery {
            id: leased.id,
            event_id: leased.event.id,
            event_type: leased.event.event_type,
            attempts: attempt.number,
        }),
    }
}

fn log_outcome(leased: &LeasedDelivery, attempt: &Attempt, outcome: Outcome) {
    let (id, webhook_id, number) = (leased.id, leased.webhook_id, attempt.number);
    let (level, message) = match outcome {
        // Nearly every line: its text is written by the logger, and only if the line is wanted.
        Outcome::Accepted => (Level::Debug, None),
        Outcome::Gone => {
            let wish = format!("the receiver of webhook {webhook_id} wants no more requests");
            (Level::Warn, Some(wish))
        }
        Outcome::Refused => {
            let refusal =
                format!("the receiver of webhook {webhook_id} refused the body of {id} for good");
            (Level::Warn, Some(refusal))
        }
        Outcome::Forbidden => {
            let refusal =
                format!("the receiver of webhook {webhook_id} forbade the request for {id}");
            (Level::Warn, Some(refusal))
        }
        Outcome::Throttled { .. } => {
            let put_off = format!("attempt {number} of {id} was put off: 429");
            (Level::Info, Some(put_off))
        }
        Outcome::Overloaded { .. } => {
            let failure = format!("attempt {number} of {id} failed: overloaded");
            (Level::Info, Some(failure))
        }
        Outcome::Failed { class, .. } => {
            let failure = format!("attempt {number} of {id} failed: {class}");
            (Level::Info, Some(failure))
        }
    };
    let trace_id = TraceId(leased.event.trace);
    log::log!(
        level,
        delivery_id:% = id, event_id:% = leased.event.id, webhook_id:% = webhook_id, attempt = number,
        trace_id:% = trace_id;
        "{}", message.unwrap_or_else(|| format!("delivered {id}"))
    );
}

/// The trace of a log line; empty without a trace, and then left out of the line.
struct TraceId(Option<TraceContext>);

impl Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(trace) => f.write_str(&trace.trace_id_text()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
