//! The verdict on a delivery (one event owed to one webhook) after each attempt.
//!
//! ```text
//!             ┌────── failed attempt, attempts left ──────┐
//!             ▼                                           │
//! insert ──► pending ──► 2xx ──────────────► succeeded    │
//!             │  ▲                                        │
//!             │  └── retry by an admin ◄── failed ◄── no attempts left, or 410
//!             └──► webhook deleted, or an admin cancels ──► cancelled
//! ```
//!
//! | state | event | next |
//! | --- | --- | --- |
//! | pending | [`Outcome::Accepted`] | succeeded |
//! | pending | [`Outcome::Failed`] or [`Outcome::Overloaded`], attempts left | pending, after the policy's delay |
//! | pending | [`Outcome::Failed`] or [`Outcome::Overloaded`], no attempts left | failed |
//! | pending | [`Outcome::Throttled`], delivery younger than its policy's span | pending; the attempt does not count |
//! | pending | [`Outcome::Throttled`], delivery older | as after [`Outcome::Overloaded`] |
//! | pending | [`Outcome::Gone`] | failed, and its webhook is set Inactive |

use std::time::Duration;

use crate::{Outcome, RetryPolicy};

/// The progress of a delivery at the end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The attempts that count in the schedule, from 1: this attempt and the earlier ones.
    pub attempts: u32,
    /// The number of responses 429 in a row, right before this attempt, that did not count as
    /// attempts.
    pub throttled: u32,
    /// The time since the schedule began: since the event's intake, or since an admin's retry.
    pub age: Duration,
}

/// The consequence of an outcome for the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The delivery has succeeded.
    Succeed,
    /// The delivery is retried after this delay.
    Retry(Duration),
    /// The delivery is retried after this delay, and the attempt does not count: neither in the
    /// schedule, nor towards opening the webhook's circuit, nor towards disabling the webhook.
    PutOff(Duration),
    /// The delivery has failed: no attempts are left.
    GiveUp,
    /// The delivery has failed, and its webhook is set Inactive.
    Disable,
}

/// The shortest `Retry-After` of a 429 that is respected: 1 s. Receivers that send less, such as 0,
/// did not choose a time; the delays of the policy count instead, because those grow.
const SHORTEST_PUT_OFF: Duration = Duration::from_secs(1);

/// Decides how a delivery continues after an attempt.
///
/// `random` is drawn evenly from [0, 1) and spreads the delay. The time of [`Outcome::hold`] counts
/// in full, because the webhook gets no request before that time anyway.
pub fn decide(outcome: Outcome, progress: Progress, policy: &RetryPolicy, random: f64) -> Verdict {
    let retry = |delay: Option<Duration>| delay.map_or(Verdict::GiveUp, Verdict::Retry);
    match outcome {
        Outcome::Accepted => Verdict::Succeed,
        Outcome::Gone => Verdict::Disable,
        Outcome::Throttled { retry_after } if progress.age < policy.span() => {
            let own = || policy.delay_after_throttled(progress.throttled.saturating_add(1), random);
            let asked = retry_after.filter(|asked| *asked >= SHORTEST_PUT_OFF);
            asked.or_else(own).map_or(Verdict::GiveUp, Verdict::PutOff)
        }
        Outcome::Throttled { retry_after } | Outcome::Overloaded { retry_after } => {
            // The hold is not capped at `max_interval`, unlike the `Retry-After` of other failures.
            let own = policy.delay_after(progress.attempts, None, random);
            retry(own.map(|delay| delay.max(retry_after.unwrap_or_default())))
        }
        Outcome::Failed { retry_after, .. } => {
            retry(policy.delay_after(progress.attempts, retry_after, random))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureClass;
    use proptest::prelude::*;

    fn any_outcome() -> impl Strategy<Value = Outcome> {
        let failed = Outcome::Failed {
            class: FailureClass::Status,
            retry_after: None,
        };
        prop_oneof![
            1 => Just(Outcome::Accepted),
            1 => Just(Outcome::Gone),
            8 => Just(failed),
            2 => Just(Outcome::Overloaded { retry_after: None }),
            2 => Just(Outcome::Throttled { retry_after: None }),
        ]
    }

    fn at(attempts: u32, throttled: u32, age_s: u64) -> Progress {
        Progress {
            attempts,
            throttled,
            age: Duration::from_secs(age_s),
        }
    }

    fn throttled(retry_after_s: Option<u64>) -> Outcome {
        let retry_after = retry_after_s.map(Duration::from_secs);
        Outcome::of_status(429, retry_after)
    }

    proptest! {
        #[test]
        fn any_sequence_of_outcomes_ends_within_the_policys_attempts(
            outcomes in proptest::collection::vec(any_outcome(), 60),
            max_attempts in 1_u32..=RetryPolicy::MAX_ATTEMPTS,
        ) {
            let policy = RetryPolicy { max_attempts, ..RetryPolicy::default() };
            let old = |attempts| Progress { attempts, throttled: 0, age: policy.span() };

            let end = (1_u32..).zip(outcomes).find(|(attempt, outcome)| {
                !matches!(decide(*outcome, old(*attempt), &policy, 0.5), Verdict::Retry(_))
            });

            prop_assert!(end.is_some_and(|(attempt, _)| attempt <= max_attempts));
        }
    }

    #[test]
    fn a_410_disables_whatever_attempts_are_left() {
        let verdict = decide(Outcome::Gone, at(1, 0, 0), &RetryPolicy::default(), 0.0);

        assert_eq!(verdict, Verdict::Disable);
    }

    #[test]
    fn a_429_costs_no_attempt_within_the_policys_span_and_one_after_it() {
        let policy = RetryPolicy {
            max_attempts: 3,
            ..RetryPolicy::default()
        };
        let verdict = |progress| decide(throttled(None), progress, &policy, 0.5);
        let seconds = Duration::from_secs;

        assert_eq!(policy.span(), seconds(50));
        assert_eq!(verdict(at(3, 0, 49)), Verdict::PutOff(seconds(10)));
        assert_eq!(verdict(at(3, 1, 49)), Verdict::PutOff(seconds(40)));
        assert_eq!(verdict(at(3, 9, 49)), Verdict::PutOff(seconds(40)));
        assert_eq!(verdict(at(1, 9, 50)), Verdict::Retry(seconds(10)));
        assert_eq!(verdict(at(3, 9, 50)), Verdict::GiveUp);
    }

    #[test]
    fn what_a_429_asks_for_counts_in_full_and_less_than_a_second_as_nothing() {
        let policy = RetryPolicy::default();
        let verdict = |asked| decide(throttled(Some(asked)), at(1, 2, 0), &policy, 0.5);
        let put_off = |seconds| Verdict::PutOff(Duration::from_secs(seconds));

        assert_eq!(
            [6, 2_000_000, 0].map(verdict),
            [put_off(6), put_off(2_000_000), put_off(160)]
        );
    }

    #[test]
    fn a_hold_lengthens_the_delay_without_limit_and_another_failures_time_up_to_the_longest() {
        let policy = RetryPolicy::default();
        let asked = Some(Duration::from_secs(10 * 86_400));
        let delay = |status| decide(Outcome::of_status(status, asked), at(1, 0, 0), &policy, 0.5);

        assert_eq!(delay(503), Verdict::Retry(Duration::from_secs(10 * 86_400)));
        assert_eq!(delay(500), Verdict::Retry(policy.max_interval));
    }
}
