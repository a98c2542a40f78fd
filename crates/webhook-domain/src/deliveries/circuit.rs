//! A webhook's health: what its attempts in a row say about it as a whole.
//!
//! ```text
//!              failure               failures in a row reach the limit
//! healthy ───────────► failing ───────────────────────────► failing, circuit open
//!    ▲                    │                                  │  pause over: one probe;
//!    └──── 2xx ◄──────────┴──────────────────────────────────┘  it fails: a longer pause
//! ```
//!
//! | state | what happened | next |
//! | --- | --- | --- |
//! | healthy | a failure | failing since then |
//! | failing | the limit of failures in a row | the circuit opens: nothing is sent until the pause is over |
//! | circuit open | the pause is over | one probe is sent |
//! | circuit open | a failure of anything else, begun before or while it opened | nothing: it tells nothing new |
//! | circuit open | the probe fails | a pause of twice the length, up to the longest |
//! | circuit open | the probe is answered 429 and costs no attempt | a pause of the same length |
//! | any | any other 429 that costs no attempt | nothing |
//! | any | 2xx | healthy |
//! | failing | half of the time until it is disabled has passed | its owner is warned, once |
//! | failing | all of it, and half of it since the warning | it is set Inactive |

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Observation, Occasion, Outcome, PlatformSettings};

/// When a circuit opens, how long it pauses, when a webhook is disabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitPolicy {
    /// So many failures in a row open the circuit.
    pub opens_after: u32,
    /// The first pause; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
    /// A webhook that has only failed for so long is set Inactive; after half of it, it is warned,
    /// and at least that long before.
    pub disable_after: Duration,
}

impl Default for CircuitPolicy {
    /// Ten failures are no accident; a receiver that is back is noticed within 5 minutes; a webhook
    /// is disabled as the platform's settings say by default, after the default retry policy's 63
    /// hours.
    fn default() -> Self {
        Self {
            opens_after: 10,
            first_pause: Duration::from_secs(5),
            max_pause: Duration::from_secs(300),
            disable_after: PlatformSettings::default().disable_after,
        }
    }
}

/// What is remembered of a webhook that is failing. A healthy one has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// Its first failure since the last 2xx.
    pub since: DateTime<Utc>,
    /// How many there were.
    pub failures: u32,
    /// When its owner was warned.
    pub warned_at: Option<DateTime<Utc>>,
    /// Whether it gets requests.
    pub circuit: Circuit,
}

/// Whether a failing webhook gets requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// It does.
    Closed,
    /// It gets one when the pause is over, and no other.
    Open {
        /// When the pause began.
        since: DateTime<Utc>,
        /// When it is over.
        until: DateTime<Utc>,
        /// How many there were in a row, from 1.
        pauses: u32,
    },
}

/// What an attempt changed about its webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitChange {
    /// The circuit opened, or opened again after a probe.
    Opened,
    /// The circuit closed.
    Closed,
    /// It is to be warned: it is set Inactive if this goes on.
    Warned,
    /// It is to be set Inactive.
    Disabled,
}

/// What is remembered after one more attempt, and what changed.
pub fn observe(
    before: Option<Failing>,
    seen: &Observation,
    policy: &CircuitPolicy,
) -> (Option<Failing>, Vec<CircuitChange>) {
    let retry_after = match seen.outcome {
        // A webhook that is gone is set Inactive at once, which ends its circuit too.
        Outcome::Accepted | Outcome::Gone => {
            let was_open = before.is_some_and(|b| b.circuit != Circuit::Closed);
            return (
                None,
                was_open
                    .then_some(CircuitChange::Closed)
                    .into_iter()
                    .collect(),
            );
        }
        Outcome::Throttled { .. } => return (before.map(|b| pause_again(b, seen, policy)), vec![]),
        // For how long it asked to get no request is a hold, see `hold.rs`.
        Outcome::Overloaded { .. } => None,
        Outcome::Failed { retry_after, .. } => retry_after,
    };
    let mut failing = before.unwrap_or(Failing {
        since: seen.ended_at,
        failures: 0,
        warned_at: None,
        circuit: Circuit::Closed,
    });
    failing.failures = failing.failures.saturating_add(1);
    let mut changes = Vec::new();
    if let Some(circuit) = next_circuit(&failing, seen, retry_after, policy) {
        failing.circuit = circuit;
        changes.push(CircuitChange::Opened);
    }
    let since = |time: DateTime<Utc>| (seen.ended_at - time).to_std().unwrap_or_default();
    let half = policy.disable_after / 2;
    match failing.warned_at {
        Some(warned_at)
            if since(failing.since) >= policy.disable_after && since(warned_at) >= half =>
        {
            changes.push(CircuitChange::Disabled);
        }
        None if since(failing.since) >= half => {
            failing.warned_at = Some(seen.ended_at);
            changes.push(CircuitChange::Warned);
        }
        Some(_) | None => {}
    }
    (Some(failing), changes)
}

/// What is remembered after an answer 429 that counts for nothing: a probe's circuit pauses as long
/// as before it.
fn pause_again(failing: Failing, seen: &Observation, policy: &CircuitPolicy) -> Failing {
    let circuit = match failing.circuit {
        Circuit::Open { pauses, .. } if seen.occasion == Occasion::Probe => Circuit::Open {
            since: seen.ended_at,
            until: after(seen.ended_at, own_pause(pauses.saturating_sub(1), policy)),
            pauses,
        },
        as_it_was @ (Circuit::Open { .. } | Circuit::Closed) => as_it_was,
    };
    Failing { circuit, ..failing }
}

/// The pause after so many others in a row.
fn own_pause(pauses: u32, policy: &CircuitPolicy) -> Duration {
    let doubled = 2_u32.saturating_pow(pauses);
    policy
        .first_pause
        .saturating_mul(doubled)
        .min(policy.max_pause)
}

fn after(time: DateTime<Utc>, pause: Duration) -> DateTime<Utc> {
    time + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX)
}

/// The circuit after a failure, or `None` when it stays as it is.
fn next_circuit(
    failing: &Failing,
    seen: &Observation,
    retry_after: Option<Duration>,
    policy: &CircuitPolicy,
) -> Option<Circuit> {
    let pauses = match failing.circuit {
        Circuit::Closed if failing.failures >= policy.opens_after => 0,
        Circuit::Closed => return None,
        Circuit::Open { .. } if seen.occasion != Occasion::Probe => return None,
        Circuit::Open { pauses, .. } => pauses,
    };
    let pause = own_pause(pauses, policy)
        .max(retry_after.unwrap_or_default())
        .min(policy.max_pause);
    Some(Circuit::Open {
        since: seen.ended_at,
        until: after(seen.ended_at, pause),
        pauses: pauses.saturating_add(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureClass;
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

    /// Attempts of one second each, one after the other, from `from` on.
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
}
