//! The rate limit of a webhook: requests per second or per minute, and how many of them may come at once.

use std::num::NonZeroU16;
use std::time::Duration;

use super::limits::bounded;
use crate::names::names;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

names! {
    /// The period of a rate limit.
    #[derive(Default)]
    RatePeriod, "rate period" {
        /// One second.
        #[default]
        Second = "second",
        /// 60 seconds.
        Minute = "minute",
    }
}

impl RatePeriod {
    /// The length of the period.
    pub const fn length(self) -> Duration {
        match self {
            Self::Second => Duration::from_secs(1),
            Self::Minute => Duration::from_secs(60),
        }
    }
}

/// The most requests that all dispatchers together send to a webhook: 1 to 10,000 per second or minute.
///
/// A bucket holds [`burst`](Self::burst) requests and gets one more after each
/// [`interval`](Self::interval). Within any period a webhook gets no more than the requests of the
/// period and one burst.
///
/// ```
/// use std::time::Duration;
/// use webhook_domain::{RateLimit, RatePeriod};
///
/// let limit = RateLimit::new(25, RatePeriod::Minute)?;
///
/// assert_eq!(limit.interval(), Duration::from_millis(2_400));
/// assert_eq!(limit.to_string(), "25 per minute");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    requests: NonZeroU16,
    per: RatePeriod,
    burst: NonZeroU16,
}

impl RateLimit {
    /// The greatest number of requests per period: 10,000. A higher limit protects no receiver.
    pub const MAX: u16 = 10_000;

    /// Checks a number of requests per period. The burst is the requests of a tenth of a second, and 1
    /// at least.
    pub fn new(requests: u64, per: RatePeriod) -> Result<Self, String> {
        let requests = bounded(requests, Self::MAX)?;
        let tenths = match per {
            RatePeriod::Second => 10,
            RatePeriod::Minute => 600,
        };
        let burst = NonZeroU16::new(requests.get() / tenths).unwrap_or(NonZeroU16::MIN);
        Ok(Self {
            requests,
            per,
            burst,
        })
    }

    /// Checks a number of requests per second: the meaning of a bare number.
    pub fn per_second(requests: u64) -> Result<Self, String> {
        Self::new(requests, RatePeriod::Second)
    }

    /// A limit with a burst of its own, known to the program.
    pub(crate) const fn known(requests: NonZeroU16, per: RatePeriod, burst: NonZeroU16) -> Self {
        Self {
            requests,
            per,
            burst,
        }
    }

    /// Requests per period.
    pub const fn requests(self) -> u16 {
        self.requests.get()
    }

    /// The period.
    pub const fn per(self) -> RatePeriod {
        self.per
    }

    /// The most requests at once, after a time without requests.
    pub const fn burst(self) -> u16 {
        self.burst.get()
    }

    /// The time between two requests, rounded up to a nanosecond.
    pub fn interval(self) -> Duration {
        self.time_for(1)
    }

    /// The time in which the bucket gets `count` requests, rounded up to a nanosecond as a whole: the
    /// rounding of one interval does not add up.
    pub fn time_for(self, count: u32) -> Duration {
        let requests = u64::from(self.requests());
        let seconds = self.per.length().as_secs() * u64::from(count);
        // The rest is below 10,000 seconds, whose nanoseconds fit into 64 bits.
        let rest_ns = (seconds % requests * NANOS_PER_SECOND).div_ceil(requests);
        Duration::from_secs(seconds / requests) + Duration::from_nanos(rest_ns)
    }
}

impl std::fmt::Display for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} per {}", self.requests, self.per)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(1, RatePeriod::Second, 1_000_000_000, 1)]
    #[case(3, RatePeriod::Second, 333_333_334, 1)]
    #[case(50, RatePeriod::Second, 20_000_000, 5)]
    #[case(10_000, RatePeriod::Second, 100_000, 1_000)]
    #[case(1, RatePeriod::Minute, 60_000_000_000, 1)]
    #[case(7, RatePeriod::Minute, 8_571_428_572, 1)]
    #[case(30, RatePeriod::Minute, 2_000_000_000, 1)]
    #[case(1_200, RatePeriod::Minute, 50_000_000, 2)]
    fn a_limit_has_an_interval_and_a_burst(
        #[case] requests: u64,
        #[case] per: RatePeriod,
        #[case] interval_ns: u64,
        #[case] burst: u16,
    ) {
        let limit = RateLimit::new(requests, per).expect("a limit");

        assert_eq!(limit.interval(), Duration::from_nanos(interval_ns));
        assert_eq!(limit.burst(), burst);
        assert_eq!((u64::from(limit.requests()), limit.per()), (requests, per));
    }

    #[test]
    fn a_limit_is_1_to_10000_and_a_bare_number_counts_per_second() {
        for per in RatePeriod::ALL {
            for wrong in [0, 10_001, u64::MAX] {
                assert!(RateLimit::new(wrong, *per).is_err(), "{wrong}");
            }
        }
        assert_eq!(
            RateLimit::per_second(5),
            RateLimit::new(5, RatePeriod::Second)
        );
        assert!(RateLimit::per_second(0).is_err());
    }

    proptest! {
        #[test]
        fn the_requests_of_a_period_take_exactly_one_period(
            requests in 1_u32..=10_000, periods in 1_u32..=1_000, is_minute: bool,
        ) {
            let per = if is_minute { RatePeriod::Minute } else { RatePeriod::Second };
            let limit = RateLimit::new(requests.into(), per).expect("a limit");

            prop_assert_eq!(limit.time_for(requests * periods), per.length() * periods);
            prop_assert!(limit.interval() * requests >= per.length());
            prop_assert!(u32::from(limit.burst()) <= requests);
        }
    }

    #[test]
    fn no_count_is_too_great_for_a_time() {
        let slowest = RateLimit::new(1, RatePeriod::Minute).expect("a limit");

        assert_eq!(slowest.time_for(0), Duration::ZERO);
        assert_eq!(
            slowest.time_for(u32::MAX),
            Duration::from_secs(60 * u64::from(u32::MAX))
        );
    }
}
