//! The metrics of attempts.

use chrono::{DateTime, Utc};
use webhook_domain::{FailureClass, Outcome};
use webhook_metrics::catalogue::{
    ATTEMPT_DURATION, ATTEMPTS, ATTEMPTS_BY_WEBHOOK, EVENT_TO_FIRST_ATTEMPT, EVENT_TO_SUCCESS,
};
use webhook_store::attempts::Attempt;
use webhook_store::{LeasedDelivery, LeasedFrom};

/// Whether attempts are counted for each webhook besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// For all webhooks together.
    #[default]
    Together,
    /// For each webhook, too: a series per webhook and outcome.
    PerWebhook,
}

/// Counts attempts.
pub(crate) struct Meter {
    pub(crate) detail: Detail,
}

impl Meter {
    /// Counts an attempt that has just ended.
    pub(crate) fn count(&self, leased: &LeasedDelivery, attempt: &Attempt, outcome: Outcome) {
        let name = name_of(outcome);
        ATTEMPTS.add_for(&[name, response_of(attempt, outcome)], 1);
        if self.detail == Detail::PerWebhook {
            ATTEMPTS_BY_WEBHOOK.add_for_webhook(leased.webhook_id.to_string(), &[name], 1);
        }
        let accepted = outcome == Outcome::Accepted;
        let word = if accepted { "true" } else { "false" };
        let seconds = f64::from(attempt.timing.duration_ms) / 1_000.0;
        ATTEMPT_DURATION.record_for(&[word], seconds);
        // A test event is made by the API and has no publisher, whose time could be the start.
        if leased.is_test() {
            return;
        }
        let happened_at = leased.event.timestamp;
        if attempt.number == 1 {
            let delay = seconds_between(happened_at, attempt.started_at);
            EVENT_TO_FIRST_ATTEMPT.record_for(&[held_by(leased)], delay);
        }
        if accepted {
            EVENT_TO_SUCCESS.record(seconds_between(happened_at, Utc::now()));
        }
    }
}

/// Whether the webhook's own settings or state may have held a first attempt back.
fn held_by(leased: &LeasedDelivery) -> &'static str {
    let is_probe = leased.leased_from == LeasedFrom::Probe;
    if leased.rate_limited || leased.ordering_key.is_some() || is_probe {
        "webhook"
    } else {
        "nothing"
    }
}

/// The seconds between two times; 0 if the publisher's clock is ahead.
fn seconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).to_std().unwrap_or_default().as_secs_f64()
}

fn name_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Gone => "gone",
        Outcome::Refused => "refused",
        Outcome::Forbidden => "forbidden",
        Outcome::Throttled { .. } => "throttled",
        Outcome::Overloaded { .. } => "overloaded",
        Outcome::Failed { .. } => "failed",
    }
}

/// The class of the response's status, or the failure of an attempt without a response.
fn response_of(attempt: &Attempt, outcome: Outcome) -> &'static str {
    match (attempt.status(), outcome) {
        (Some(200..300), _) => "2xx",
        (Some(300..400), _) => "3xx",
        (Some(400..500), _) => "4xx",
        (Some(_), _) => "5xx",
        (
            None,
            Outcome::Failed {
                class:
                    class @ (FailureClass::Dns
                    | FailureClass::Connect
                    | FailureClass::Tls
                    | FailureClass::Timeout
                    | FailureClass::Reset
                    | FailureClass::BlockedAddress
                    | FailureClass::Protocol),
                ..
            },
        ) => class.as_str(),
        // A failure by status or body has a response.
        (None, _) => "protocol",
    }
}
