//! The rate limit of an API key: a script run wild slows down no other caller.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use webhook_domain::ApiKeyId;
use webhook_metrics::catalogue::REQUESTS_LIMITED;

use crate::problem::Problem;

/// Requests per second and API key, in this process. An API key may burst by one second's requests.
pub struct KeyLimits(Option<DefaultKeyedRateLimiter<ApiKeyId>>);

impl KeyLimits {
    /// `None`: no limit.
    pub fn per_second(requests: Option<NonZeroU32>) -> Self {
        Self(requests.map(|requests| RateLimiter::keyed(Quota::per_second(requests))))
    }

    /// Counts a request of this key.
    pub fn count(&self, key: ApiKeyId) -> Result<(), Problem> {
        let Some(limits) = &self.0 else {
            return Ok(());
        };
        limits.check_key(&key).map_err(|later| {
            REQUESTS_LIMITED.add(1);
            let wait = later.wait_time_from(DefaultClock::default().now());
            Problem::TooManyRequests {
                retry_after: whole_seconds(wait),
            }
        })
    }
}

/// Whole seconds for `Retry-After`, rounded up: a client that comes back in time is never refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_key_that_asks_too_fast_is_told_when_to_come_back_and_others_are_not() {
        let limits = KeyLimits::per_second(NonZeroU32::new(2));
        let (fast, other) = (ApiKeyId(Uuid::from_u128(1)), ApiKeyId(Uuid::from_u128(2)));

        let asked: Vec<_> = (0..3).map(|_| limits.count(fast)).collect();

        assert!(asked[0].is_ok() && asked[1].is_ok());
        assert!(matches!(
            asked[2],
            Err(Problem::TooManyRequests { retry_after: 1 })
        ));
        assert!(limits.count(other).is_ok());
    }

    #[test]
    fn without_a_limit_all_may_pass() {
        let limits = KeyLimits::per_second(None);

        assert!((0..1_000).all(|_| limits.count(ApiKeyId(Uuid::nil())).is_ok()));
    }
}
