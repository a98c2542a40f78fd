//! When a failed delivery is tried again.

use std::time::Duration;

use backoff::{ExponentialBackoff, backoff::Backoff};

use crate::AttemptTimeout;

/// How often and how patiently a delivery is tried.
///
/// The delay before retry `n` is `initial_interval × multiplier^(n-1)`, at most `max_interval`,
/// spread by `jitter` around it, and at most `max_interval` again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// How many requests a delivery may cost, the first one included.
    pub max_attempts: u32,
    /// The delay before the first retry.
    pub initial_interval: Duration,
    /// What each delay is multiplied with to get the next.
    pub multiplier: f64,
    /// The longest delay.
    pub max_interval: Duration,
    /// How far a delay may stray from its value, from 0 (not at all) to 1 (0 % to 200 %).
    pub jitter: f64,
    /// How long one attempt may take, from the name look-up to the end of the answer.
    pub timeout: Duration,
}

impl Default for RetryPolicy {
    /// 12 attempts within about 63 hours: long enough for a weekend's outage.
    fn default() -> Self {
        Self {
            max_attempts: 12,
            initial_interval: Duration::from_secs(10),
            multiplier: 4.0,
            max_interval: Duration::from_secs(12 * 60 * 60),
            jitter: 0.2,
            timeout: Duration::from_secs(15),
        }
    }
}

/// Why a policy cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum RetryPolicyError {
    #[error("must be 1 to {}", RetryPolicy::MAX_ATTEMPTS)]
    Attempts,
    #[error("must be 1 ms to {} days", RetryPolicy::MAX_INTERVAL.as_secs() / 86_400)]
    InitialInterval,
    #[error("must be 1 to {}", RetryPolicy::MAX_MULTIPLIER)]
    Multiplier,
    #[error("must be 1 ms to {} days", RetryPolicy::MAX_INTERVAL.as_secs() / 86_400)]
    MaxInterval,
    #[error("must be 0 to 1")]
    Jitter,
    #[error("must be 100 ms to {} s", RetryPolicy::MAX_TIMEOUT.as_secs())]
    Timeout,
}

impl RetryPolicyError {
    /// The field that is wrong, as it is named in JSON.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Attempts => "max_attempts",
            Self::InitialInterval => "initial_interval_ms",
            Self::Multiplier => "multiplier",
            Self::MaxInterval => "max_interval_ms",
            Self::Jitter => "jitter",
            Self::Timeout => "timeout_ms",
        }
    }
}

impl RetryPolicy {
    /// More attempts than this only fill the log.
    pub const MAX_ATTEMPTS: u32 = 50;
    /// A larger factor makes the second retry the last useful one.
    pub const MAX_MULTIPLIER: f64 = 100.0;
    /// A week: what is older has been dealt with in another way.
    pub const MAX_INTERVAL: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    /// The longest timeout, see [`AttemptTimeout::MAX`].
    pub const MAX_TIMEOUT: Duration = AttemptTimeout::MAX;

    /// Checks what an admin or an operator asked for.
    pub fn checked(self) -> Result<Self, RetryPolicyError> {
        if !(1..=Self::MAX_ATTEMPTS).contains(&self.max_attempts) {
            return Err(RetryPolicyError::Attempts);
        }
        // A first delay above the longest is cut to it, like any other.
        let intervals = Duration::from_millis(1)..=Self::MAX_INTERVAL;
        if !intervals.contains(&self.max_interval) {
            return Err(RetryPolicyError::MaxInterval);
        }
        if !intervals.contains(&self.initial_interval) {
            return Err(RetryPolicyError::InitialInterval);
        }
        if !(1.0..=Self::MAX_MULTIPLIER).contains(&self.multiplier) {
            return Err(RetryPolicyError::Multiplier);
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(RetryPolicyError::Jitter);
        }
        if !(AttemptTimeout::MIN..=Self::MAX_TIMEOUT).contains(&self.timeout) {
            return Err(RetryPolicyError::Timeout);
        }
        Ok(self)
    }

    /// Every delay of this policy in order, before jitter: one fewer than there are attempts.
    pub fn schedule(&self) -> impl Iterator<Item = Duration> {
        // The crate's own jitter is off: it would draw from a random source of its own, and it
        // is added after the cap. Its clock is not asked, as there is no maximum elapsed time.
        let mut policy = ExponentialBackoff {
            current_interval: self.initial_interval,
            initial_interval: self.initial_interval,
            randomization_factor: 0.0,
            multiplier: self.multiplier,
            max_interval: self.max_interval,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        let cap = self.max_interval;
        let retries = self.max_attempts.saturating_sub(1) as usize;
        std::iter::from_fn(move || policy.next_backoff())
            .map(move |delay| delay.min(cap))
            .take(retries)
    }

    /// The delays that are left after `attempts`, before jitter.
    pub fn schedule_after(&self, attempts: u32) -> impl Iterator<Item = Duration> {
        self.schedule().skip(attempts as usize)
    }

    /// From the first attempt to the last one, if all fail at once: the sum of the schedule.
    pub fn span(&self) -> Duration {
        self.schedule()
            .fold(Duration::ZERO, Duration::saturating_add)
    }

    /// How long to wait after answer 429 number `count` (from 1) in a row that cost no attempt. It
    /// grows as the schedule does, and stays at the longest delay of that. `None`: there is no
    /// second attempt.
    pub fn delay_after_throttled(&self, count: u32, random: f64) -> Option<Duration> {
        let last = self.max_attempts.saturating_sub(1);
        self.delay_after(count.min(last), None, random)
    }

    /// How long to wait after failed attempt number `attempt` (from 1), or `None` when it was
    /// the last one.
    ///
    /// `random` is drawn evenly from [0, 1). A `retry_after` that the receiver asked for can
    /// lengthen the delay up to `max_interval` and never shortens it.
    pub fn delay_after(
        &self,
        attempt: u32,
        retry_after: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        let index = attempt.saturating_sub(1) as usize;
        let scheduled = self.schedule().nth(index)?;
        let factor = 1.0 + self.jitter * (2.0 * random - 1.0);
        let delay = scheduled.mul_f64(factor).min(self.max_interval);
        Some(match retry_after {
            Some(asked) => delay.max(asked.min(self.max_interval)),
            None => delay,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_schedule_lasts_about_63_hours() {
        let schedule: Vec<u64> = RetryPolicy::default()
            .schedule()
            .map(|delay| delay.as_secs())
            .collect();

        assert_eq!(
            schedule,
            [
                10, 40, 160, 640, 2_560, 10_240, 40_960, 43_200, 43_200, 43_200, 43_200
            ]
        );
        assert_eq!(RetryPolicy::default().span().as_secs() / 3_600, 63);
    }

    #[test]
    fn the_last_attempt_has_no_delay_after_it() {
        let policy = RetryPolicy::default();

        assert!(policy.delay_after(11, None, 0.5).is_some());
        assert_eq!(policy.delay_after(12, None, 0.5), None);
        assert_eq!(policy.delay_after(13, None, 0.5), None);
    }

    #[test]
    fn the_delay_after_answers_429_grows_as_the_schedule_and_never_ends() {
        let policy = RetryPolicy {
            max_attempts: 3,
            ..RetryPolicy::default()
        };
        let delay = |count| policy.delay_after_throttled(count, 0.5);

        assert_eq!(
            [1, 2, 3, 100].map(delay),
            [10, 40, 40, 40].map(|seconds| Some(Duration::from_secs(seconds)))
        );
        let once = RetryPolicy {
            max_attempts: 1,
            ..policy
        };
        assert_eq!(once.delay_after_throttled(1, 0.5), None);
    }

    #[test]
    fn policies_that_make_no_sense_are_refused() {
        let default = RetryPolicy::default;
        let refused = [
            (
                RetryPolicy {
                    max_attempts: 0,
                    ..default()
                },
                RetryPolicyError::Attempts,
            ),
            (
                RetryPolicy {
                    multiplier: f64::NAN,
                    ..default()
                },
                RetryPolicyError::Multiplier,
            ),
            (
                RetryPolicy {
                    jitter: 1.1,
                    ..default()
                },
                RetryPolicyError::Jitter,
            ),
            (
                RetryPolicy {
                    timeout: Duration::ZERO,
                    ..default()
                },
                RetryPolicyError::Timeout,
            ),
            (
                RetryPolicy {
                    initial_interval: Duration::ZERO,
                    ..default()
                },
                RetryPolicyError::InitialInterval,
            ),
            (
                RetryPolicy {
                    max_interval: Duration::MAX,
                    ..default()
                },
                RetryPolicyError::MaxInterval,
            ),
        ];

        for (policy, error) in refused {
            assert_eq!(policy.checked(), Err(error));
        }
        assert!(default().checked().is_ok());
    }

    prop_compose! {
        fn any_policy()(
            max_attempts in 1_u32..=RetryPolicy::MAX_ATTEMPTS,
            initial_ms in 1_u64..100_000,
            cap_factor in 1_u64..1_000,
            multiplier in 1.0_f64..10.0,
            jitter in 0.0_f64..=1.0,
        ) -> RetryPolicy {
            RetryPolicy {
                max_attempts,
                initial_interval: Duration::from_millis(initial_ms),
                multiplier,
                max_interval: Duration::from_millis(initial_ms * cap_factor),
                jitter,
                ..RetryPolicy::default()
            }
        }
    }

    proptest! {
        #[test]
        fn no_delay_is_above_the_cap(
            policy in any_policy(), attempt in 1_u32..60, random in 0.0_f64..1.0,
            retry_after in proptest::option::of(0_u64..10_000_000),
        ) {
            let retry_after = retry_after.map(Duration::from_secs);
            let delay = policy.delay_after(attempt, retry_after, random);

            prop_assert_eq!(delay.is_some(), attempt < policy.max_attempts);
            prop_assert!(delay.unwrap_or_default() <= policy.max_interval);
        }

        #[test]
        fn without_jitter_the_schedule_never_goes_backwards(policy in any_policy()) {
            let schedule: Vec<Duration> = policy.schedule().collect();

            prop_assert!(schedule.is_sorted());
            prop_assert_eq!(schedule.len(), policy.max_attempts as usize - 1);
        }

        #[test]
        fn retry_after_never_shortens_the_delay(
            policy in any_policy(), attempt in 1_u32..60, random in 0.0_f64..1.0, asked in 0_u64..100_000,
        ) {
            let own = policy.delay_after(attempt, None, random);
            let with = policy.delay_after(attempt, Some(Duration::from_secs(asked)), random);

            prop_assert!(with >= own);
        }
    }
}
