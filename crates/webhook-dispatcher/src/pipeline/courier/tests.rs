use super::*;
use crate::client::Connector;
use crate::pipeline::meter::Detail;
use crate::pipeline::request::begin;
use crate::pipeline::results;
use crate::pipeline::sample::{destination, leased, leased_test};
use rstest::rstest;
use webhook_domain::{AddressPolicy, FailureClass, OrderingKey, RetryPolicy};
use webhook_store::attempts::Transcript;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
const DELAY: Duration = Duration::from_secs(10);
const URL: &str = "https://example.com/hook";
const FAILED: Outcome = Outcome::Failed {
    class: FailureClass::Timeout,
    retry_after: None,
};
const THROTTLED: Outcome = Outcome::Throttled { retry_after: None };
const OVERLOADED: Outcome = Outcome::Overloaded { retry_after: None };

/// A webhook whose deliveries have three attempts, ten seconds apart, of up to ten seconds.
fn three_attempts() -> Destination {
    let policy = RetryPolicy {
        max_attempts: 3,
        initial_interval: DELAY,
        multiplier: 1.0,
        jitter: 0.0,
        timeout: DELAY,
        ..RetryPolicy::default()
    };
    Destination {
        policy,
        ..destination(URL)
    }
}

/// An attempt that ended with the outcome.
fn made(leased: &LeasedDelivery, outcome: Outcome, counts_for_circuit: bool) -> MadeAttempt {
    let mut attempt = begin(leased, NOW);
    attempt.failure_detail = Some("the receiver is slow".into());
    MadeAttempt {
        attempt,
        transcript: Transcript::default(),
        answer: JudgedAnswer::of(outcome),
        counts_for_circuit,
    }
}

fn judged(leased: &LeasedDelivery, outcome: Outcome) -> JudgedAttempt {
    judge(&three_attempts(), leased, made(leased, outcome, true), NOW)
}

#[rstest]
#[case(Verdict::Succeed, NextState::Succeeded, NextState::Succeeded)]
#[case(Verdict::Retry(DELAY), NextState::RetryAt(NOW + DELAY), NextState::Failed)]
#[case(Verdict::PutOff(DELAY), NextState::PutOffTo(NOW + DELAY), NextState::Failed)]
#[case(Verdict::GiveUp, NextState::Failed, NextState::Failed)]
#[case(Verdict::Disable, NextState::Failed, NextState::Failed)]
fn a_delivery_goes_on_by_the_verdict_and_a_test_has_no_retries(
    #[case] verdict: Verdict,
    #[case] next: NextState,
    #[case] of_test: NextState,
) {
    assert_eq!(next_state(verdict, &leased(1, 0), NOW), next);
    assert_eq!(next_state(verdict, &leased_test(1, 0), NOW), of_test);
}

#[test]
fn a_delivery_is_exhausted_by_its_last_attempt_and_ends_its_turn() {
    let key = OrderingKey(Uuid::from_u128(5));
    let [second, third] = [1, 2].map(|attempts| LeasedDelivery {
        ordering_key: Some(key),
        ..leased(1, attempts)
    });

    let retried = judged(&second, FAILED);
    let exhausted = judged(&third, FAILED);

    assert_eq!(retried.result.next, NextState::RetryAt(NOW + DELAY));
    assert!(retried.result.status_event.is_none() && retried.ends_turn_of.is_none());
    assert_eq!(exhausted.result.next, NextState::Failed);
    assert_eq!(exhausted.ends_turn_of, Some(key));
    let event = exhausted.result.status_event.expect("a status event");
    assert_eq!(event.event_type, StatusEventType::DeliveryExhausted);
    assert_eq!(event.reason, "the receiver is slow");
    assert_eq!(event.delivery.map(|delivery| delivery.attempts), Some(3));
}

#[test]
fn attempts_before_a_manual_retry_do_not_count() {
    let retried_by_hand = LeasedDelivery {
        schedule_from: 1,
        ..leased(1, 2)
    };

    let judged = judged(&retried_by_hand, FAILED);

    assert_eq!(judged.result.next, NextState::RetryAt(NOW + DELAY));
}

#[rstest]
#[case::test(leased_test(1, 2), FAILED)]
#[case::disabled(leased(1, 2), Outcome::Gone)]
fn no_service_waits_for_a_test_or_for_a_disabled_webhook(
    #[case] leased: LeasedDelivery,
    #[case] outcome: Outcome,
) {
    let judged = judged(&leased, outcome);

    assert_eq!(judged.result.next, NextState::Failed);
    assert!(judged.result.status_event.is_none());
}

#[test]
fn a_delivery_put_off_tells_that_the_attempt_costs_none() {
    let judged = judged(&leased(1, 0), THROTTLED);

    let detail = judged.result.attempt.failure_detail.expect("a detail");
    assert!(matches!(judged.result.next, NextState::PutOffTo(_)));
    let told = "the receiver is slow, which costs no attempt while the delivery is younger";
    assert!(detail.as_str().starts_with(told), "{detail}");
}

#[rstest]
#[case(LeasedFrom::Intake, true, true)]
#[case(LeasedFrom::Backlog, false, false)]
#[case(LeasedFrom::Probe, false, true)]
fn the_circuit_sees_what_counts_and_every_probe(
    #[case] leased_from: LeasedFrom,
    #[case] counts: bool,
    #[case] seen: bool,
) {
    let leased = LeasedDelivery {
        leased_from,
        ..leased(1, 0)
    };

    let judged = judge(
        &three_attempts(),
        &leased,
        made(&leased, FAILED, counts),
        NOW,
    );

    assert_eq!(judged.observation.is_some(), seen);
}

#[rstest]
#[case(leased(1, 0), LeasedFrom::Intake, Occasion::Due)]
#[case(leased(1, 0), LeasedFrom::Probe, Occasion::Probe)]
#[case(leased_test(1, 0), LeasedFrom::Probe, Occasion::Test)]
fn the_circuit_is_told_the_occasion(
    #[case] mut leased: LeasedDelivery,
    #[case] leased_from: LeasedFrom,
    #[case] occasion: Occasion,
) {
    leased.leased_from = leased_from;

    let seen = observation(&leased, JudgedAnswer::of(FAILED), Verdict::GiveUp, NOW);

    assert_eq!((seen.occasion, seen.outcome), (occasion, FAILED));
}

#[rstest]
#[case(THROTTLED, Verdict::PutOff(DELAY), THROTTLED)]
#[case(THROTTLED, Verdict::Retry(DELAY), OVERLOADED)]
#[case(THROTTLED, Verdict::GiveUp, OVERLOADED)]
#[case(Outcome::Accepted, Verdict::Succeed, Outcome::Accepted)]
fn a_429_at_the_cost_of_an_attempt_is_a_failure_for_the_circuit(
    #[case] outcome: Outcome,
    #[case] verdict: Verdict,
    #[case] seen: Outcome,
) {
    let answer = JudgedAnswer::of(outcome);

    let observed = observation(&leased(1, 0), answer, verdict, NOW);

    assert_eq!(observed.outcome, seen);
}

fn courier(lease: Duration) -> Courier {
    let connector = Connector::new(AddressPolicy::default(), &[]).expect("a connector");
    let client = Client::new(Arc::new(connector), DELAY);
    let meter = Meter {
        detail: Detail::Together,
    };
    Courier::new(client, lease, results::channel().0, Arc::default(), meter)
}

/// A delivery whose lease ends after the milliseconds.
fn leased_for(lease_ms: i64) -> LeasedDelivery {
    LeasedDelivery {
        lease_until: NOW + TimeDelta::milliseconds(lease_ms),
        ..leased(1, 0)
    }
}

#[rstest]
#[case(9_999, true)]
#[case(10_000, false)]
#[case(10_001, false)]
#[tokio::test]
async fn an_attempt_must_fit_its_lease(#[case] lease_ms: i64, #[case] would_outlive: bool) {
    let destination = ReadyDestination::new(three_attempts(), &AddressPolicy::default());

    let outlives = courier(6 * DELAY).would_outlive_lease(&destination, &leased_for(lease_ms), NOW);

    assert_eq!(outlives, would_outlive);
}

#[rstest]
#[case::long_lease(6 * DELAY, 60_000, 10, 10)]
#[case::half_of_the_rest(6 * DELAY, 20_000, 10, 5)]
#[case::no_rest(6 * DELAY, 5_000, 10, 0)]
#[case::short_leases(DELAY, 8_000, 5, 1)]
#[tokio::test]
async fn the_wait_for_a_stream_leaves_half_of_the_lease_for_the_record(
    #[case] longest_lease: Duration,
    #[case] lease_ms: i64,
    #[case] timeout_s: u64,
    #[case] slack_s: u64,
) {
    let limits = courier(longest_lease).time_limits(&three_attempts(), &leased_for(lease_ms), NOW);

    assert_eq!(limits.timeout.as_secs(), timeout_s);
    assert_eq!(limits.slack.as_secs(), slack_s);
}
