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
//! | pending | [`Outcome::Gone`] | failed, and its webhook is set Inactive |

use std::time::Duration;

use crate::{RetryPolicy, rejection::names};

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
    /// The receiver answered 429, 502, 503 or 504: it wants less at once.
    Overloaded {
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
    },
    /// Anything else.
    Failed {
        /// Why.
        class: FailureClass,
        /// How long the receiver asked us to wait.
        retry_after: Option<Duration>,
    },
}

/// What an outcome means for its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Succeed,
    /// It is tried again after this delay.
    Retry(Duration),
    /// It is given up, as no attempts are left.
    GiveUp,
    /// It is given up, and its webhook gets nothing more.
    Disable,
}

/// Decides what becomes of a delivery after attempt number `attempt` (from 1).
///
/// `random` is drawn evenly from [0, 1) and spreads the delay.
pub fn decide(outcome: Outcome, attempt: u32, policy: &RetryPolicy, random: f64) -> Verdict {
    match outcome {
        Outcome::Accepted => Verdict::Succeed,
        Outcome::Gone => Verdict::Disable,
        Outcome::Failed { retry_after, .. } | Outcome::Overloaded { retry_after } => policy
            .delay_after(attempt, retry_after, random)
            .map_or(Verdict::GiveUp, Verdict::Retry),
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
        ]
    }

    proptest! {
        #[test]
        fn any_sequence_of_outcomes_ends_within_the_policys_attempts(
            outcomes in proptest::collection::vec(any_outcome(), 60),
            max_attempts in 1_u32..=RetryPolicy::MAX_ATTEMPTS,
        ) {
            let policy = RetryPolicy { max_attempts, ..RetryPolicy::default() };

            let end = (1_u32..).zip(outcomes).find(|(attempt, outcome)| {
                !matches!(decide(*outcome, *attempt, &policy, 0.5), Verdict::Retry(_))
            });

            prop_assert!(end.is_some_and(|(attempt, _)| attempt <= max_attempts));
        }
    }

    #[test]
    fn a_410_disables_whatever_attempts_are_left() {
        let verdict = decide(Outcome::Gone, 1, &RetryPolicy::default(), 0.0);

        assert_eq!(verdict, Verdict::Disable);
    }
}
