//! The verdict on a delivery (one event owed to one webhook) after each attempt.
//!
//! ```text
//!             ┌────── failed attempt, attempts left ──────┐
//!             ▼                                           │
//! insert ──► pending ──► 2xx ──────────────► succeeded    │
//!             │  ▲                                        │
//!             │  └── retry by an admin ◄── failed ◄── no attempts left, 410, refused or forbidden
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
//! | pending | [`Outcome::Refused`] or [`Outcome::Forbidden`] | failed, no matter how many attempts are left |

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
    /// The delivery has failed: no attempts are left, or another attempt would fail, too.
    GiveUp,
    /// The delivery has failed, and its webhook is set Inactive.
    Disable,
}

/// The shortest time of a 429 that counts in full however often the time is repeated: 1 s. A shorter
/// time is doubled with each further 429 in a row, because a receiver that repeats half a second
/// for ever would get two requests per second for ever.
const SHORTEST_REPEATED_PUT_OFF: Duration = Duration::from_secs(1);

/// Decides how a delivery continues after an attempt.
///
/// `random` is drawn evenly from [0, 1) and spreads the delay. The time of [`Outcome::hold`] counts
/// in full, because the webhook gets no request before that time anyway.
pub fn decide(outcome: Outcome, progress: Progress, policy: &RetryPolicy, random: f64) -> Verdict {
    let retry = |delay: Option<Duration>| delay.map_or(Verdict::GiveUp, Verdict::Retry);
    match outcome {
        Outcome::Accepted => Verdict::Succeed,
        Outcome::Gone => Verdict::Disable,
        Outcome::Refused | Outcome::Forbidden => Verdict::GiveUp,
        Outcome::Throttled { retry_after } if progress.age < policy.span() => {
            let own = || policy.delay_after_throttled(progress.throttled.saturating_add(1), random);
            put_off(retry_after, progress.throttled, own()).map_or(Verdict::GiveUp, Verdict::PutOff)
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

/// The delay after a 429 that costs no attempt: the time that the receiver asks for, or `own`, the
/// delay of the policy, where the receiver asks for no time. `None`: no delay is left.
fn put_off(asked: Option<Duration>, throttled: u32, own: Option<Duration>) -> Option<Duration> {
    // `Retry-After: 0` is no time: receivers that send 0 did not choose a time.
    let Some(asked) = asked.filter(|asked| !asked.is_zero()) else {
        return own;
    };
    if asked >= SHORTEST_REPEATED_PUT_OFF {
        return Some(asked);
    }
    let doubled = asked.saturating_mul(2_u32.saturating_pow(throttled));
    let longest = own.unwrap_or(SHORTEST_REPEATED_PUT_OFF);
    Some(doubled.min(longest).max(asked))
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
            1 => Just(Outcome::Refused),
            1 => Just(Outcome::Forbidden),
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
    fn what_a_429_asks_for_counts_in_full_and_zero_as_nothing() {
        let policy = RetryPolicy::default();
        let verdict = |asked| decide(throttled(Some(asked)), at(1, 2, 0), &policy, 0.5);
        let put_off = |seconds| Verdict::PutOff(Duration::from_secs(seconds));

        assert_eq!(
            [6, 2_000_000, 0].map(verdict),
            [put_off(6), put_off(2_000_000), put_off(160)]
        );
    }

    #[test]
    fn a_fraction_of_a_second_doubles_with_each_429_up_to_the_policys_delay() {
        let half = Outcome::of_status(429, Some(Duration::from_millis(500)));
        let policy = RetryPolicy::default();
        let delays = [0, 1, 2, 5, 6, u32::MAX].map(|throttled| {
            match decide(half, at(1, throttled, 0), &policy, 0.5) {
                Verdict::PutOff(delay) => delay.as_millis(),
                other @ (Verdict::Succeed
                | Verdict::Retry(_)
                | Verdict::GiveUp
                | Verdict::Disable) => panic!("{other:?}"),
            }
        });

        assert_eq!(delays[..5], [500, 1_000, 2_000, 16_000, 32_000]);
        assert_eq!(
            Some(delays[5]),
            policy
                .delay_after_throttled(u32::MAX, 0.5)
                .map(|d| d.as_millis())
        );
    }

    #[test]
    fn refused_bytes_and_forbidden_requests_get_no_further_attempt() {
        let verdict = |outcome| decide(outcome, at(1, 0, 0), &RetryPolicy::default(), 0.0);

        assert_eq!(verdict(Outcome::Refused), Verdict::GiveUp);
        assert_eq!(verdict(Outcome::Forbidden), Verdict::GiveUp);
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
