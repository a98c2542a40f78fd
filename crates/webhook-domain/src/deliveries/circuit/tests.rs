use super::*;
use crate::{FailureClass, Format, RateAdvice, explain_answer};
use proptest::prelude::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn failed() -> Outcome {
    Outcome::Failed {
        class: FailureClass::Status,
        retry_after: None,
    }
}

/// Observes attempts of one second each, one after the other, from second `from` on.
fn observed(
    mut failing: Option<Failing>,
    from: i64,
    outcomes: &[Outcome],
) -> (Option<Failing>, Vec<CircuitChange>) {
    let mut all = Vec::new();
    for (second, outcome) in (from..).zip(outcomes) {
        let seen = Observation {
            outcome: *outcome,
            occasion: Occasion::Probe,
            ended_at: at(second + 1),
            rate: RateAdvice::default(),
            meaning: None,
        };
        let (next, changes) = observe(failing, &seen, &CircuitPolicy::default());
        failing = next;
        all.extend(changes);
    }
    (failing, all)
}

#[test]
fn the_tenth_failure_in_a_row_opens_the_circuit() {
    let (nine, none) = observed(None, 0, &[failed(); 9]);
    let (ten, opened) = observed(nine, 9, &[failed()]);

    assert_eq!((none, opened), (vec![], vec![CircuitChange::Opened]));
    assert_eq!(
        ten.map(|f| f.circuit),
        Some(Circuit::Open {
            since: at(10),
            until: at(15),
            pauses: 1
        })
    );
}

#[test]
fn an_accepted_attempt_forgets_all_failures() {
    let mut outcomes = [failed(); 15];
    outcomes[9] = Outcome::Accepted;

    let (failing, changes) = observed(None, 0, &outcomes);

    assert_eq!(failing.map(|f| (f.failures, f.since)), Some((5, at(11))));
    assert_eq!(changes, []);
}

#[test]
fn each_failed_probe_doubles_the_pause_up_to_the_longest() {
    let (mut failing, _) = observed(None, 0, &[failed(); 10]);
    let mut pauses = Vec::new();
    for round in 1..10 {
        (failing, _) = observed(failing, round * 1_000, &[failed()]);
        if let Some(Circuit::Open { since, until, .. }) = failing.map(|f| f.circuit) {
            pauses.push((until - since).num_seconds());
        }
    }

    assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300, 300, 300]);
}

#[test]
fn what_is_no_probe_does_not_lengthen_a_pause() {
    let (open, _) = observed(None, 0, &[failed(); 10]);
    let straggler = Observation {
        outcome: failed(),
        occasion: Occasion::Due,
        ended_at: at(12),
        rate: RateAdvice::default(),
        meaning: None,
    };

    let (still, changes) = observe(open, &straggler, &CircuitPolicy::default());

    assert_eq!(still.map(|f| f.circuit), open.map(|f| f.circuit));
    assert_eq!(changes, []);
}

#[test]
fn a_webhook_is_not_disabled_right_after_its_warning() {
    const DAY: i64 = 86_400;
    let (failing, _) = observed(None, 0, &[failed()]);
    let (failing, warned) = observed(failing, 6 * DAY, &[failed(), failed()]);
    let (_, disabled) = observed(failing, 9 * DAY, &[failed()]);

    assert_eq!(warned, [CircuitChange::Warned]);
    assert_eq!(disabled, [CircuitChange::Disabled]);
}

#[test]
fn retry_after_lengthens_a_pause_up_to_the_longest() {
    let asked = |seconds| Outcome::of_status(500, Some(Duration::from_secs(seconds)));
    let pause_after = |outcome| {
        let (failing, _) = observed(None, 0, &[outcome; 10]);
        match failing.map(|f| f.circuit) {
            Some(Circuit::Open { since, until, .. }) => (until - since).num_seconds(),
            Some(Circuit::Closed) | None => 0,
        }
    };

    assert_eq!(pause_after(asked(60)), 60);
    assert_eq!(pause_after(asked(1)), 5);
    assert_eq!(pause_after(asked(86_400)), 300);
}

fn throttled(seconds: Option<u64>) -> Outcome {
    Outcome::of_status(429, seconds.map(Duration::from_secs))
}

#[test]
fn a_429_that_costs_no_attempt_is_no_step_towards_anything() {
    let (nine, _) = observed(None, 0, &[failed(); 9]);
    let (still_nine, changes) = observed(nine, 9 * 86_400, &[throttled(Some(60)); 50]);
    let (ten, opened) = observed(still_nine, 10, &[failed()]);

    assert_eq!((still_nine, changes), (nine, vec![]));
    assert_eq!(opened, [CircuitChange::Opened]);
    assert_eq!(ten.map(|f| f.failures), Some(10));
    assert_eq!(observed(None, 0, &[throttled(None); 50]), (None, vec![]));
}

#[test]
fn a_probe_that_is_answered_429_pauses_as_long_again() {
    let (open, _) = observed(None, 0, &[failed(); 10]);
    let (open, _) = observed(open, 1_000, &[failed()]);
    let (again, changes) = observed(open, 2_000, &[throttled(None)]);

    assert_eq!(changes, []);
    assert_eq!(
        again.map(|f| (f.failures, f.circuit)),
        Some((
            11,
            Circuit::Open {
                since: at(2_001),
                until: at(2_011),
                pauses: 2
            }
        ))
    );
}

#[test]
fn a_429_of_another_attempt_leaves_an_open_circuit_as_it_is() {
    let (open, _) = observed(None, 0, &[failed(); 10]);
    let straggler = Observation {
        outcome: throttled(Some(60)),
        occasion: Occasion::Due,
        ended_at: at(12),
        rate: RateAdvice::default(),
        meaning: None,
    };

    assert_eq!(
        observe(open, &straggler, &CircuitPolicy::default()),
        (open, vec![])
    );
}

#[test]
fn a_test_event_counts_for_nothing_and_hastens_the_probe() {
    let test = |outcome| Observation {
        outcome,
        occasion: Occasion::Test,
        ended_at: at(12),
        rate: RateAdvice::default(),
        meaning: None,
    };
    let observe = |before, outcome| observe(before, &test(outcome), &CircuitPolicy::default());
    let (nine, _) = observed(None, 0, &[failed(); 9]);
    let (open, _) = observed(None, 0, &[failed(); 10]);

    assert_eq!(observe(None, failed()), (None, vec![]));
    for outcome in [failed(), Outcome::Accepted] {
        assert_eq!(observe(nine, outcome), (nine, vec![]));
    }
    assert_eq!(observe(open, failed()), (open, vec![]));
    let (hastened, changes) = observe(open, Outcome::Accepted);
    let until = hastened.map(|failing| match failing.circuit {
        Circuit::Open { until, .. } => until,
        Circuit::Closed => at(0),
    });
    assert_eq!((until, changes), (Some(at(12)), vec![]));
}

#[test]
fn days_of_nothing_but_failure_warn_once_and_then_disable() {
    const DAY: i64 = 86_400;
    let (mut failing, mut changes) = (None, Vec::new());
    for half_day in 0..=10 {
        let (next, more) = observed(failing, half_day * DAY / 2, &[failed()]);
        failing = next;
        changes.extend(more.into_iter().filter(|c| *c != CircuitChange::Opened));
    }

    assert_eq!(changes, [CircuitChange::Warned, CircuitChange::Disabled]);
}

#[test]
fn the_third_forbidden_request_in_a_row_sets_the_webhook_inactive() {
    let (two, none) = observed(None, 0, &[Outcome::Forbidden; 2]);
    let (three, disabled) = observed(two, 2, &[Outcome::Forbidden]);
    let (_, again) = observed(three, 3, &[Outcome::Forbidden]);

    assert_eq!((two.map(|f| f.forbidden), none), (Some(2), vec![]));
    assert_eq!(three.map(|f| f.failures), Some(3));
    assert_eq!(disabled, [CircuitChange::Forbidden]);
    assert_eq!(again, [CircuitChange::Forbidden]);
}

#[test]
fn the_reason_of_forbidden_requests_has_the_receivers_word() {
    let seen = Observation {
        outcome: Outcome::Forbidden,
        occasion: Occasion::Due,
        ended_at: at(1),
        rate: RateAdvice::default(),
        meaning: explain_answer(Format::Discord, 401, b""),
    };

    let start = "the receiver did not allow 3 requests in a row: `401`: Discord does not accept";
    assert!(forbidden_reason(&seen).starts_with(start));
}

#[test]
fn only_a_429_without_cost_leaves_a_row_of_forbidden_requests_as_it_is() {
    let row_after = |between| {
        let (two, _) = observed(None, 0, &[Outcome::Forbidden; 2]);
        let (after, _) = observed(two, 2, &[between]);
        after.map_or(0, |failing| failing.forbidden)
    };

    assert_eq!(row_after(throttled(None)), 2);
    assert_eq!(row_after(Outcome::of_status(503, None)), 0);
    assert_eq!(
        [failed(), Outcome::Refused, Outcome::Accepted].map(row_after),
        [0; 3]
    );
}

#[test]
fn refused_bytes_open_the_circuit_as_failures_do_and_disable_no_sooner() {
    let (refused, changes) = observed(None, 0, &[Outcome::Refused; 10]);
    let (failed, same) = observed(None, 0, &[failed(); 10]);

    assert_eq!(refused, failed);
    assert_eq!(
        (&changes, changes.as_slice()),
        (&same, &[CircuitChange::Opened][..])
    );
}

#[test]
fn a_forbidden_or_refused_test_event_counts_for_nothing() {
    let (two, _) = observed(None, 0, &[Outcome::Forbidden; 2]);
    for outcome in [Outcome::Forbidden, Outcome::Refused] {
        let test = Observation {
            outcome,
            occasion: Occasion::Test,
            ended_at: at(12),
            rate: RateAdvice::default(),
            meaning: None,
        };

        assert_eq!(
            observe(two, &test, &CircuitPolicy::default()),
            (two, vec![])
        );
    }
}

proptest! {
    #[test]
    fn a_circuit_is_open_only_after_enough_failures_in_a_row(
        outcomes in proptest::collection::vec(any::<bool>(), 0..60)
    ) {
        let outcomes: Vec<Outcome> = outcomes
            .into_iter()
            .map(|accepted| if accepted { Outcome::Accepted } else { failed() })
            .collect();
        let in_a_row = outcomes.iter().rev().take_while(|o| **o != Outcome::Accepted).count();

        let (failing, _) = observed(None, 0, &outcomes);

        prop_assert_eq!(failing.is_some(), in_a_row > 0);
        let open = failing.is_some_and(|f| f.circuit != Circuit::Closed);
        prop_assert_eq!(open, in_a_row >= 10);
    }
}
