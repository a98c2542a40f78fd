//! The courier: one attempt for a delivery, and what its outcome means.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use webhook_domain::{
    ExhaustedDelivery, Observation, Outcome, StatusEvent, StatusEventType, Verdict, decide,
};
use webhook_store::attempts::{Attempt, AttemptResult, NextState};
use webhook_store::destinations::Destination;

use crate::Settings;
use crate::client::{Client, Connector, Failure};
use crate::leased::{Leased, Origin};
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
        leased: &Leased,
        now: DateTime<Utc>,
    ) -> bool {
        let timeout = TimeDelta::from_std(self.timeout(destination)).unwrap_or(TimeDelta::MAX);
        leased.lease_until - now < timeout
    }

    /// One attempt: request, answer, verdict. The error tells why none was made.
    pub(crate) async fn deliver(
        &self,
        recipient: &Recipient,
        leased: &Leased,
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

    fn patience(&self, destination: &Destination, leased: &Leased, now: DateTime<Utc>) -> Patience {
        let timeout = self.timeout(destination);
        let lease = (leased.lease_until - now).to_std().unwrap_or_default();
        Patience {
            timeout,
            slack: lease.saturating_sub(timeout).min(timeout),
        }
    }

    fn timeout(&self, destination: &Destination) -> Duration {
        destination.policy.timeout.min(self.longest)
    }
}

/// What is to be recorded of an attempt.
fn finish(destination: &Destination, leased: &Leased, made: Made, now: DateTime<Utc>) -> Finished {
    let Made {
        attempt,
        said,
        outcome,
        counts,
    } = made;
    let number = (attempt.number - leased.schedule_from).unsigned_abs();
    let verdict = decide(outcome, number, &destination.policy, rand::random());
    // Somebody looks at a test's answer now; in an hour nobody does.
    let test = leased.event.test_for.is_some();
    let (next, status_event) = match verdict {
        Verdict::Succeed => (NextState::Succeeded, None),
        Verdict::Retry(delay) if !test => (NextState::RetryAt(now + delay), None),
        Verdict::Retry(_) | Verdict::GiveUp if test => (NextState::Failed, None),
        Verdict::Retry(_) | Verdict::GiveUp => {
            (NextState::Failed, Some(exhausted(leased, &attempt, now)))
        }
        Verdict::Disable => (NextState::Failed, None),
    };
    let ended = !matches!(next, NextState::RetryAt(_));
    let probe = leased.origin == Origin::Probe;
    Finished {
        // Whatever became of a probe, its circuit waits for it.
        seen: (counts || probe).then_some(Observation {
            outcome,
            probe,
            ended_at: now,
        }),
        turn: leased
            .ordering_key
            .filter(|_| ended)
            .map(|key| (leased.webhook_id, key)),
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

/// What the platform's services are told of a delivery that is given up.
fn exhausted(leased: &Leased, attempt: &Attempt, now: DateTime<Utc>) -> StatusEvent {
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

fn observe(leased: &Leased, attempt: &Attempt, outcome: Outcome) {
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
