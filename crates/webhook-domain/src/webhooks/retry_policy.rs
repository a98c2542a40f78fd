//! The retry policy: how often and when a failed delivery is attempted again.

use std::time::Duration;

use backoff::{ExponentialBackoff, backoff::Backoff};

use crate::{AttemptTimeout, FieldError};

/// The number, the delays and the timeout of a delivery's attempts.
///
/// The delay before retry `n` is `initial_interval × multiplier^(n-1)`, at most `max_interval`.
/// Jitter then spreads the delay evenly around this value, and `max_interval` caps the result
/// again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// The most attempts of a delivery, the first one included: 1 to 50.
    pub max_attempts: u32,
    /// The delay before the first retry: 1 ms to 7 days.
    pub initial_interval: Duration,
    /// The factor from each delay to the next: 1 to 100.
    pub multiplier: f64,
    /// The longest delay: 1 ms to 7 days.
    pub max_interval: Duration,
    /// How far a delay may differ from its value: 0 (not at all) to 1 (from 0 % to 200 %).
    pub jitter: f64,
    /// The timeout of one attempt, from the name look-up to the end of the response: 100 ms to 30
    /// s.
    pub timeout: Duration,
}

impl Default for RetryPolicy {
    /// Twelve attempts within about 63 hours, long enough for an outage that lasts a weekend.
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

impl RetryPolicy {
    /// The most attempts: 50. More attempts only fill the log.
    pub const MAX_ATTEMPTS: u32 = 50;
    /// The greatest multiplier: 100. With a larger factor every retry after the second would wait
    /// for `max_interval`.
    pub const MAX_MULTIPLIER: f64 = 100.0;
    /// The longest interval: 7 days. A delivery that is older has been dealt with in another way.
    pub const MAX_INTERVAL: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    /// The longest timeout, see [`AttemptTimeout::MAX`].
    pub const MAX_TIMEOUT: Duration = AttemptTimeout::MAX;

    /// Checks every field, and refuses each wrong one by its name in JSON.
    pub fn checked(self) -> Result<Self, Vec<FieldError>> {
        // A first delay above the longest is cut to the longest, like any other delay.
        let intervals = Duration::from_millis(1)..=Self::MAX_INTERVAL;
        let interval = format!("1 ms to {} days", Self::MAX_INTERVAL.as_secs() / 86_400);
        let attempts = 1..=Self::MAX_ATTEMPTS;
        let multipliers = 1.0..=Self::MAX_MULTIPLIER;
        let timeouts = AttemptTimeout::MIN..=Self::MAX_TIMEOUT;
        #[rustfmt::skip]
        let fields = [
            ("max_attempts", attempts.contains(&self.max_attempts), format!("1 to {}", Self::MAX_ATTEMPTS)),
            ("max_interval_ms", intervals.contains(&self.max_interval), interval.clone()),
            ("initial_interval_ms", intervals.contains(&self.initial_interval), interval),
            ("multiplier", multipliers.contains(&self.multiplier), format!("1 to {}", Self::MAX_MULTIPLIER)),
            ("jitter", (0.0..=1.0).contains(&self.jitter), "0 to 1".to_owned()),
            ("timeout_ms", timeouts.contains(&self.timeout), format!("100 ms to {} s", Self::MAX_TIMEOUT.as_secs())),
        ];
        let wrong = fields
            .into_iter()
            .filter(|(_, is_in_range, _)| !is_in_range);
        let errors: Vec<FieldError> = wrong
            .map(|(field, _, range)| FieldError::new(field, format_args!("must be {range}")))
            .collect();
        if errors.is_empty() {
            Ok(self)
        } else {
            Err(errors)
        }
    }

    /// Every delay of the policy in order, before jitter: one fewer than there are attempts.
    ///
    /// ```
    /// use std::time::Duration;
    /// use webhook_domain::RetryPolicy;
    ///
    /// let policy = RetryPolicy {
    ///     max_attempts: 5,
    ///     max_interval: Duration::from_secs(600),
    ///     ..RetryPolicy::default()
    /// };
    ///
    /// let schedule: Vec<u64> = policy.schedule().map(|delay| delay.as_secs()).collect();
    ///
    /// assert_eq!(schedule, [10, 40, 160, 600]);
    /// assert_eq!(policy.span(), Duration::from_secs(810));
    /// ```
    pub fn schedule(&self) -> impl Iterator<Item = Duration> {
        // The jitter of the `backoff` crate is off: the crate draws from a random source of its
        // own, and adds the jitter after the cap. The crate's clock is not read either, because
        // there is no maximum elapsed time.
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

    /// The delays that are left after `attempts` attempts, before jitter.
    pub fn schedule_after(&self, attempts: u32) -> impl Iterator<Item = Duration> {
        self.schedule().skip(attempts as usize)
    }

    /// The time from the first attempt to the last one if every attempt fails at once: the sum of
    /// the schedule.
    pub fn span(&self) -> Duration {
        self.schedule()
            .fold(Duration::ZERO, Duration::saturating_add)
    }

    /// The delay after response number `count` (from 1) in a row with status 429 that cost no
    /// attempt. The delay grows as the schedule does, and stays at the last delay of the schedule.
    /// `None`: the policy allows one attempt only.
    pub fn delay_after_throttled(&self, count: u32, random: f64) -> Option<Duration> {
        let last = self.max_attempts.saturating_sub(1);
        self.delay_after(count.min(last), None, random)
    }

    /// The delay after failed attempt number `attempt` (from 1). `None`: no attempt is left.
    ///
    /// `random` is drawn evenly from [0, 1). The receiver's `retry_after` can lengthen the delay up
    /// to `max_interval`, and never shortens the delay.
    pub fn delay_after(
        &self,
        attempt: u32,
        retry_after: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        let index = attempt.saturating_sub(1) as usize;
        let scheduled = self.schedule().nth(index)?;
        let factor = 1.0 + self.jitter * (2.0 * random - 1.0);
        // The second cap: jitter may have pushed the delay above `max_interval`.
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
    use rstest::rstest;

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
    fn every_field_that_is_out_of_range_is_refused_at_once() {
        let policy = RetryPolicy {
            max_attempts: 0,
            initial_interval: Duration::ZERO,
            multiplier: f64::NAN,
            max_interval: Duration::MAX,
            jitter: 1.1,
            timeout: Duration::ZERO,
        };

        let errors = policy.checked().expect_err("every field is wrong");

        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "max_attempts: must be 1 to 50",
                "max_interval_ms: must be 1 ms to 7 days",
                "initial_interval_ms: must be 1 ms to 7 days",
                "multiplier: must be 1 to 100",
                "jitter: must be 0 to 1",
                "timeout_ms: must be 100 ms to 30 s",
            ]
        );
    }

    #[rstest]
    #[case::default(|_: &mut RetryPolicy| ())]
    #[case::fewest_attempts(|policy: &mut RetryPolicy| policy.max_attempts = 1)]
    #[case::most_attempts(|policy: &mut RetryPolicy| policy.max_attempts = 50)]
    #[case::shortest_interval(|policy: &mut RetryPolicy| policy.initial_interval = Duration::from_millis(1))]
    #[case::longest_interval(|policy: &mut RetryPolicy| policy.max_interval = Duration::from_secs(604_800))]
    #[case::least_multiplier(|policy: &mut RetryPolicy| policy.multiplier = 1.0)]
    #[case::greatest_multiplier(|policy: &mut RetryPolicy| policy.multiplier = 100.0)]
    #[case::full_jitter(|policy: &mut RetryPolicy| policy.jitter = 1.0)]
    #[case::shortest_timeout(|policy: &mut RetryPolicy| policy.timeout = Duration::from_millis(100))]
    #[case::longest_timeout(|policy: &mut RetryPolicy| policy.timeout = Duration::from_secs(30))]
    fn the_bounds_themselves_are_allowed(#[case] change: fn(&mut RetryPolicy)) {
        let mut policy = RetryPolicy::default();
        change(&mut policy);

        assert_eq!(policy.clone().checked(), Ok(policy));
    }

    #[rstest]
    #[case("max_attempts", |policy: &mut RetryPolicy| policy.max_attempts = 51)]
    #[case("initial_interval_ms", |policy: &mut RetryPolicy| policy.initial_interval = Duration::from_secs(604_801))]
    #[case("max_interval_ms", |policy: &mut RetryPolicy| policy.max_interval = Duration::ZERO)]
    #[case("multiplier", |policy: &mut RetryPolicy| policy.multiplier = 0.9)]
    #[case("multiplier", |policy: &mut RetryPolicy| policy.multiplier = 100.1)]
    #[case("jitter", |policy: &mut RetryPolicy| policy.jitter = -0.1)]
    #[case("timeout_ms", |policy: &mut RetryPolicy| policy.timeout = Duration::from_secs(31))]
    fn a_value_beyond_a_bound_is_refused(
        #[case] field: &str,
        #[case] change: fn(&mut RetryPolicy),
    ) {
        let mut policy = RetryPolicy::default();
        change(&mut policy);

        let errors = policy.checked().expect_err("one field is wrong");

        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].field, field);
    }

    #[test]
    fn a_low_draw_shortens_the_delay_and_a_high_one_lengthens_it() {
        let delay = |random| RetryPolicy::default().delay_after(1, None, random);
        let seconds = |seconds| Some(Duration::from_secs(seconds));

        assert_eq!([0.0, 0.5, 1.0].map(delay), [8, 10, 12].map(seconds));
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
