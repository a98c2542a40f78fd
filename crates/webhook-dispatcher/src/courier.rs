//! The courier: one attempt for a delivery, and what its outcome means.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use webhook_domain::{AddressPolicy, Outcome, RetryPolicy, Verdict, decide};
use webhook_store::attempts::{AttemptResult, NextState};
use webhook_store::webhooks::Destination;

use crate::lanes::Leased;
use crate::recorder::{Finished, Results};
use crate::request::{self, Answer};
use crate::{Settings, target};

/// Makes attempts and hands their results in.
pub(crate) struct Courier {
    client: reqwest::Client,
    addresses: AddressPolicy,
    policy: RetryPolicy,
    timeout: Duration,
    results: Results,
}

impl Courier {
    pub(crate) fn new(settings: &Settings, results: Results) -> reqwest::Result<Self> {
        Ok(Self {
            client: target::client(&settings.addresses)?,
            addresses: settings.addresses.clone(),
            policy: settings.policy.clone(),
            // A lease outlives the longest attempt, with as much again to record it.
            timeout: settings.policy.timeout.min(settings.lease / 2),
            results,
        })
    }

    /// Whether the lease could end before an attempt that began now.
    pub(crate) fn comes_too_late(&self, leased: &Leased, now: DateTime<Utc>) -> bool {
        let timeout = TimeDelta::from_std(self.timeout).unwrap_or(TimeDelta::MAX);
        leased.lease_until - now < timeout
    }

    /// One attempt: request, answer, verdict.
    pub(crate) async fn deliver(&self, destination: &Destination, leased: &Leased) {
        let number = leased.attempts + 1;
        let (client, addresses) = (&self.client, &self.addresses);
        let answer = request::attempt(client, addresses, destination, leased, self.timeout).await;
        let Answer { attempt, outcome } = answer;
        observe(leased, number, outcome);
        let verdict = decide(outcome, number.unsigned_abs(), &self.policy, rand::random());
        let next = match verdict {
            Verdict::Succeed => NextState::Succeeded,
            Verdict::Retry(delay) => NextState::RetryAt(Utc::now() + delay),
            Verdict::GiveUp | Verdict::Disable => NextState::Failed,
        };
        let finished = Finished {
            result: AttemptResult { attempt, next },
            disable: (verdict == Verdict::Disable).then_some(leased.webhook_id),
        };
        if self.results.send(finished).await.is_err() {
            log::error!("the recorder is gone; the delivery is tried again when its lease ends");
        }
    }
}

fn observe(leased: &Leased, number: i32, outcome: Outcome) {
    let (id, webhook_id) = (leased.id, leased.webhook_id);
    let word = match outcome {
        Outcome::Accepted => {
            log::debug!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "delivered {id}");
            "accepted"
        }
        Outcome::Gone => {
            log::warn!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "webhook {webhook_id} is gone");
            "gone"
        }
        Outcome::Failed { class, .. } => {
            log::info!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "attempt {number} of {id} failed: {class}");
            class.as_str()
        }
    };
    metrics::counter!("webhook_attempts_total", "outcome" => word).increment(1);
}
