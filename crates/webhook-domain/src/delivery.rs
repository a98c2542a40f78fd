//! A delivery: one event owed to one webhook, and what becomes of it.
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
//! | pending | the same, none left | failed |
//! | pending | [`Outcome::Throttled`], younger than its policy's span | pending, and it cost no attempt |
//! | pending | the same, older | as after [`Outcome::Overloaded`] |
//! | pending | [`Outcome::Gone`] | failed, and its webhook is set Inactive |

use std::time::Duration;

use crate::{RetryPolicy, names::names};

names! {
    /// Where a delivery stands.
    DeliveryStatus, "delivery status" {
        /// It will be tried, or tried again.
        Pending = "pending",
        /// The webhook accepted it.
        Succeeded = "succeeded",
        /// It was given up.
        Failed = "failed",
        /// Nobody wants it any more.
        Cancelled = "cancelled",
    }
}

names! {
    /// Where the deliveries stand that are asked for.
    StatusFilter, "delivery status" {
        /// Pending, tried before or not.
        Pending = "pending",
        /// Pending, and tried before.
        Retrying = "retrying",
        /// Accepted by the webhook.
        Succeeded = "succeeded",
        /// Given up.
        Failed = "failed",
        /// Not wanted any more.
        Cancelled = "cancelled",
    }
}

impl StatusFilter {
    /// The status that these deliveries have.
    pub const fn status(self) -> DeliveryStatus {
        match self {
            Self::Pending | Self::Retrying => DeliveryStatus::Pending,
            Self::Succeeded => DeliveryStatus::Succeeded,
            Self::Failed => DeliveryStatus::Failed,
            Self::Cancelled => DeliveryStatus::Cancelled,
        }
    }
}

names! {
    /// Why an attempt failed.
    FailureClass, "failure class" {
        /// The host's name could not be resolved.
        Dns = "dns",
        /// No connection could be opened.
        Connect = "connect",
        /// The TLS handshake failed, or the certificate is not trusted.
        Tls = "tls",
        /// The receiver took too long to answer.
        Timeout = "timeout",
        /// The receiver reset or closed the connection before the head of its answer was complete.
        Reset = "reset",
        /// The address is one that must not be called.
        BlockedAddress = "blocked_address",
        /// What the receiver sent is not HTTP.
        Protocol = "protocol",
        /// An answer that is not 2xx.
        Status = "status",
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered 2xx.
    Accepted,
    /// The receiver answered 410: it wants no more of this webhook.
    Gone,
    /// The receiver answered 429: it is well, and wants fewer requests.
    Throttled {
        /// How long it asked to get no request at all.
        retry_after: Option<Duration>,
    },
    /// The receiver, or the proxy before it, answered 502, 503, 504 or 520 to 524: it wants less at
    /// once.
    Overloaded {
        /// How long it asked to get no request at all.
        retry_after: Option<Duration>,
    },
    /// Anything else.
    Failed {
        /// Why.
        class: FailureClass,
        /// How long the receiver asked to wait with this delivery.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// What an answer with this status means.
    pub const fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Accepted,
            410 => Self::Gone,
            429 => Self::Throttled { retry_after },
            502..=504 | 520..=524 => Self::Overloaded { retry_after },
            _ => Self::Failed {
                class: FailureClass::Status,
                retry_after,
            },
        }
    }

    /// For how long the receiver asked to get no request of its webhook at all.
    pub const fn hold(self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Overloaded { retry_after } => retry_after,
            Self::Accepted | Self::Gone | Self::Failed { .. } => None,
        }
    }
}

/// How far a delivery has come when an attempt for it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Its attempts by its schedule, from 1: this one, and those before it that count.
    pub attempts: u32,
    /// The answers 429 in a row right before this attempt that cost none.
    pub throttled: u32,
    /// How long ago its schedule began: when it was owed, or when somebody asked for it again.
    pub age: Duration,
}

/// What an outcome means for its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Succeed,
    /// It is tried again after this delay.
    Retry(Duration),
    /// It is tried again after this delay, and the attempt counts for nothing: neither for its
    /// schedule, nor for its webhook's circuit, nor for disabling that.
    PutOff(Duration),
    /// It is given up, as no attempts are left.
    GiveUp,
    /// It is given up, and its webhook gets nothing more.
    Disable,
}

/// A receiver that asks for less than this with its 429 did not think of a time, such as 0: the
/// delays of the policy count, which grow.
const SHORTEST_PUT_OFF: Duration = Duration::from_secs(1);

/// Decides what becomes of a delivery after an attempt.
///
/// `random` is drawn evenly from [0, 1) and spreads the delay. What the receiver asks for with
/// [`Outcome::hold`] counts in full, as nothing of its webhook is sent before.
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

    #[test]
    fn each_status_has_its_meaning() {
        let overloaded = (500..600).filter(|status| {
            matches!(
                Outcome::of_status(*status, None),
                Outcome::Overloaded { .. }
            )
        });
        let accepted = (100..999).filter(|s| Outcome::of_status(*s, None) == Outcome::Accepted);

        assert_eq!(
            overloaded.collect::<Vec<u16>>(),
            [502, 503, 504, 520, 521, 522, 523, 524]
        );
        assert_eq!(accepted.collect::<Vec<u16>>(), Vec::from_iter(200..300));
        assert_eq!(Outcome::of_status(410, None), Outcome::Gone);
        assert_eq!(Outcome::of_status(429, None), throttled(None));
    }
}
