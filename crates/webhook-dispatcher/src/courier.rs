//! The courier: one attempt for a delivery, and what its outcome means.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use webhook_domain::{
    ExhaustedDelivery, FailureDetail, Observation, Occasion, Outcome, Progress, StatusEvent,
    StatusEventType, Verdict, decide,
};
use webhook_store::attempts::{Attempt, AttemptResult, NextState};
use webhook_store::destinations::Destination;
use webhook_store::{LeasedDelivery, LeasedFrom};

use crate::Settings;
use crate::client::{Client, Connector, Failure};
use crate::recipient::Recipient;
use crate::recorder::{Finished, Results};
use crate::request::{self, Made, Patience};

/// Makes attempts and hands their results in.
pub(crate) struct Courier {
    client: Client,
    longest: Duration,
    results: Results,
}

impl Courier {
    pub(crate) fn new(settings: &Settings, connector: Arc<Connector>, results: Results) -> Self {
        Self {
            client: Client::new(connector, settings.connection_max_age),
            // A lease outlives the longest attempt, with as much again to record it.
            longest: settings.lease / 2,
            results,
        }
    }

    /// Whether the lease could end before an attempt that began now.
    pub(crate) fn comes_too_late(
        &self,
        destination: &Destination,
        leased: &LeasedDelivery,
        now: DateTime<Utc>,
    ) -> bool {
        let timeout = TimeDelta::from_std(self.timeout(destination)).unwrap_or(TimeDelta::MAX);
        leased.lease_until - now < timeout
    }

    /// One attempt: request, answer, verdict. The error tells why none was made.
    pub(crate) async fn deliver(
        &self,
        recipient: &Recipient,
        leased: &LeasedDelivery,
    ) -> Result<Outcome, Failure> {
        let destination = &recipient.destination;
        let patience = self.patience(destination, leased, Utc::now());
        let made = request::attempt(&self.client, recipient, leased, patience).await?;
        let outcome = made.outcome;
        observe(leased, &made.attempt, outcome);
        let finished = finish(destination, leased, made, Utc::now());
        if self.results.send(finished).await.is_err() {
            log::error!("the recorder is gone; the delivery is tried again when its lease ends");
        }
        Ok(outcome)
    }

    fn patience(
        &self,
        destination: &Destination,
        leased: &LeasedDelivery,
        now: DateTime<Utc>,
    ) -> Patience {
        let timeout = self.timeout(destination);
        let lease = (leased.lease_until - now).to_std().unwrap_or_default();
        Patience {
            timeout,
            // Half of what is left of the lease: the result is to be recorded within it, too.
            slack: (lease.saturating_sub(timeout) / 2).min(timeout),
        }
    }

    fn timeout(&self, destination: &Destination) -> Duration {
        destination.policy.timeout.min(self.longest)
    }
}

/// What is to be recorded of an attempt.
fn finish(
    destination: &Destination,
    leased: &LeasedDelivery,
    made: Made,
    now: DateTime<Utc>,
) -> Finished {
    let Made {
        mut attempt,
        said,
        outcome,
        counts,
    } = made;
    let progress = Progress {
        attempts: (attempt.number - leased.schedule_from).unsigned_abs(),
        throttled: leased.throttled.unsigned_abs(),
        age: (now - leased.schedule_since).to_std().unwrap_or_default(),
    };
    let verdict = decide(outcome, progress, &destination.policy, rand::random());
    // Somebody looks at a test's answer now; in an hour nobody does.
    let test = leased.is_test();
    let (next, status_event) = match verdict {
        Verdict::Succeed => (NextState::Succeeded, None),
        Verdict::Retry(delay) if !test => (NextState::RetryAt(now + delay), None),
        Verdict::PutOff(delay) if !test => (NextState::PutOffTo(now + delay), None),
        Verdict::Retry(_) | Verdict::PutOff(_) | Verdict::GiveUp if test => {
            (NextState::Failed, None)
        }
        Verdict::Retry(_) | Verdict::PutOff(_) | Verdict::GiveUp => {
            (NextState::Failed, Some(exhausted(leased, &attempt, now)))
        }
        Verdict::Disable => (NextState::Failed, None),
    };
    let ended = match next {
        NextState::Succeeded | NextState::Failed => true,
        NextState::RetryAt(_) => false,
        NextState::PutOffTo(_) => {
            note_put_off(&mut attempt);
            false
        }
    };
    Finished {
        // Whatever became of a probe, its circuit waits for it.
        seen: (counts || leased.leased_from == LeasedFrom::Probe)
            .then(|| observed(leased, outcome, verdict, now)),
        turn: leased.ordering_key.filter(|_| ended),
        result: AttemptResult {
            attempt,
            exchange: said,
            next,
            webhook_id: leased.webhook_id,
            lease_until: leased.lease_until,
            status_event,
        },
    }
}

/// What an attempt says about its webhook.
fn observed(
    leased: &LeasedDelivery,
    outcome: Outcome,
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Observation {
    let occasion = match leased.leased_from {
        LeasedFrom::Probe => Occasion::Probe,
        LeasedFrom::Intake | LeasedFrom::Backlog if leased.is_test() => Occasion::Test,
        LeasedFrom::Intake | LeasedFrom::Backlog => Occasion::Due,
    };
    let costs_an_attempt = match verdict {
        Verdict::Retry(_) | Verdict::GiveUp => true,
        Verdict::Succeed | Verdict::PutOff(_) | Verdict::Disable => false,
    };
    let outcome = match outcome {
        // A 429 that costs an attempt is a failure like any other.
        Outcome::Throttled { retry_after } if costs_an_attempt => {
            Outcome::Overloaded { retry_after }
        }
        Outcome::Accepted
        | Outcome::Gone
        | Outcome::Throttled { .. }
        | Outcome::Overloaded { .. }
        | Outcome::Failed { .. } => outcome,
    };
    Observation {
        outcome,
        occasion,
        ended_at: now,
    }
}

/// Tells in the log that an attempt cost nothing.
fn note_put_off(attempt: &mut Attempt) {
    if let Some(detail) = &attempt.failure_detail {
        let detail = FailureDetail::of(format_args!(
            "{detail}, which costs no attempt while the delivery is younger than its retry policy's span"
        ));
        attempt.failure_detail = Some(detail);
    }
}

/// What the platform's services are told of a delivery that is given up.
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

fn observe(leased: &LeasedDelivery, attempt: &Attempt, outcome: Outcome) {
    let (id, webhook_id, number) = (leased.id, leased.webhook_id, attempt.number);
    let word = match outcome {
        Outcome::Accepted => {
            log::debug!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "delivered {id}");
            "accepted"
        }
        Outcome::Gone => {
            log::warn!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "webhook {webhook_id} is gone");
            "gone"
        }
        Outcome::Throttled { .. } => {
            log::info!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "attempt {number} of {id} came too soon: 429");
            "throttled"
        }
        Outcome::Overloaded { .. } => {
            log::info!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "attempt {number} of {id} failed: overloaded");
            "overloaded"
        }
        Outcome::Failed { class, .. } => {
            log::info!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "attempt {number} of {id} failed: {class}");
            class.as_str()
        }
    };
    metrics::counter!("webhook_attempts_total", "outcome" => word).increment(1);
}
