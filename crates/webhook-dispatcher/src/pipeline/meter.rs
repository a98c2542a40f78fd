//! The metrics of attempts.

use chrono::{DateTime, Utc};
use webhook_domain::{FailureClass, Outcome};
use webhook_metrics::catalogue::{
    ATTEMPT_DURATION, ATTEMPTS, ATTEMPTS_BY_WEBHOOK, EVENT_TO_FIRST_ATTEMPT, EVENT_TO_SUCCESS,
};
use webhook_metrics::status_class;
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
        (Some(status), _) => status_class(status),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::sample::{leased, leased_test};
    use chrono::TimeDelta;
    use rstest::rstest;
    use webhook_domain::OrderingKey;
    use webhook_store::attempts::Timing;

    const REFUSED_CONNECTION: Outcome = Outcome::Failed {
        class: FailureClass::Connect,
        retry_after: None,
    };

    /// An attempt of 1.5 seconds. The first began two seconds after its event, each further two seconds later.
    fn attempt(number: i32, status: Option<i32>) -> Attempt {
        Attempt {
            delivery_id: leased(1, 0).id,
            number,
            started_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(2) * number,
            timing: Timing {
                duration_ms: 1_500,
                ..Timing::default()
            },
            response_status: status,
            failure_class: None,
            failure_detail: None,
        }
    }

    #[test]
    fn an_attempt_is_counted_with_its_time_and_a_test_has_no_time_since_its_event() {
        webhook_metrics::register(webhook_metrics::Service::Dispatcher, "test");
        let [all, each] = [Detail::Together, Detail::PerWebhook].map(|detail| Meter { detail });

        for leased in [leased(1, 0), leased_test(1, 0)] {
            all.count(&leased, &attempt(1, Some(204)), Outcome::Accepted);
        }
        each.count(&leased(1, 1), &attempt(2, None), REFUSED_CONNECTION);

        let page = webhook_metrics::render();
        for line in [
            r#"attempts_total{outcome="accepted",response="2xx"} 2"#,
            r#"attempts_total{outcome="failed",response="connect"} 1"#,
            r#"0001",outcome="failed"} 1"#,
            r#"duration_seconds_sum{accepted="true"} 3"#,
            r#"duration_seconds_sum{accepted="false"} 1.5"#,
            r#"event_to_first_attempt_seconds_sum{held_by="nothing"} 2"#,
            "event_to_success_seconds_count 1",
        ] {
            assert!(page.contains(&format!("{line}\n")), "{line} in {page}");
        }
        assert!(!page.contains(r#"outcome="accepted"} "#), "{page}");
    }

    #[rstest]
    #[case(Outcome::Accepted, "accepted")]
    #[case(Outcome::Gone, "gone")]
    #[case(Outcome::Refused, "refused")]
    #[case(Outcome::Forbidden, "forbidden")]
    #[case(Outcome::Throttled { retry_after: None }, "throttled")]
    #[case(Outcome::Overloaded { retry_after: None }, "overloaded")]
    #[case(REFUSED_CONNECTION, "failed")]
    fn each_outcome_has_its_name(#[case] outcome: Outcome, #[case] name: &str) {
        assert_eq!(name_of(outcome), name);
    }

    #[rstest]
    #[case(Some(204), Outcome::Accepted, "2xx")]
    #[case(Some(302), Outcome::Gone, "3xx")]
    #[case(Some(499), Outcome::Gone, "4xx")]
    #[case(Some(500), REFUSED_CONNECTION, "5xx")]
    #[case(None, REFUSED_CONNECTION, "connect")]
    #[case(None, Outcome::Gone, "protocol")]
    fn a_response_has_the_class_of_its_status_or_its_failure(
        #[case] status: Option<i32>,
        #[case] outcome: Outcome,
        #[case] class: &str,
    ) {
        assert_eq!(response_of(&attempt(1, status), outcome), class);
    }

    #[test]
    fn an_event_of_a_publisher_whose_clock_is_ahead_has_no_age() {
        let now = DateTime::UNIX_EPOCH;
        let later = now + TimeDelta::milliseconds(2_500);

        assert!((seconds_between(now, later) - 2.5).abs() < f64::EPSILON);
        assert!(seconds_between(later, now).abs() < f64::EPSILON);
    }

    #[test]
    fn a_first_attempt_waits_for_the_webhook_by_a_rate_limit_an_order_or_a_probe() {
        let mut held = [(); 3].map(|()| leased(1, 0));
        held[0].rate_limited = true;
        held[1].ordering_key = Some(OrderingKey(leased(1, 0).id.0));
        held[2].leased_from = LeasedFrom::Probe;

        assert_eq!(held_by(&leased(1, 0)), "nothing");
        assert_eq!(held.each_ref().map(held_by), ["webhook"; 3]);
    }
}
