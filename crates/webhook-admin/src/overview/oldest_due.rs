//! The due time of the oldest delivery of an environment, remembered for a while.
//!
//! The look-up takes some 5 µs for each Active webhook of the environment. A found time is remembered for 50 times
//! as long as the look-up took: look-ups cost Postgres at most a fiftieth of a core, and a small installation
//! always reads the present.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use webhook_domain::Environment;
use webhook_store::{RawConnection, deliveries};

use crate::refusal::Refusal;

/// How many times as long as its look-up a time is remembered.
const REMEMBERED_FACTOR: u32 = 50;

/// The longest time that a found time is remembered: a page is at most this old.
const MAX_REMEMBERED: Duration = Duration::from_secs(10);

/// The due times of the oldest deliveries, by environment.
#[derive(Debug, Default)]
pub struct OldestDueCache(Mutex<HashMap<Environment, Remembered>>);

#[derive(Debug, Clone, Copy)]
struct Remembered {
    oldest_due: Option<DateTime<Utc>>,
    until: Instant,
}

impl OldestDueCache {
    /// Finds the due time of the oldest delivery in an environment. `None`: nothing is overdue.
    pub(super) async fn find(
        &self,
        connection: &mut RawConnection,
        environment: Environment,
    ) -> Result<Option<DateTime<Utc>>, Refusal> {
        let began = Instant::now();
        if let Some(remembered) = self.remembered(environment, began) {
            return Ok(remembered);
        }
        let oldest_due = deliveries::find_oldest_due_in(connection, environment).await?;
        self.remember(environment, oldest_due, began, Instant::now());
        Ok(oldest_due)
    }

    fn remembered(&self, environment: Environment, now: Instant) -> Option<Option<DateTime<Utc>>> {
        let times = self.0.lock().expect("no holder of the lock panics");
        let remembered = times.get(&environment).filter(|one| one.until > now)?;
        Some(remembered.oldest_due)
    }

    fn remember(
        &self,
        environment: Environment,
        oldest_due: Option<DateTime<Utc>>,
        began: Instant,
        ended: Instant,
    ) {
        let kept = (ended - began)
            .saturating_mul(REMEMBERED_FACTOR)
            .min(MAX_REMEMBERED);
        let remembered = Remembered {
            oldest_due,
            until: ended + kept,
        };
        let mut times = self.0.lock().expect("no holder of the lock panics");
        times.insert(environment, remembered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a time is remembered `after` the end of a look-up of length `took`.
    fn is_remembered(took: Duration, after: Duration) -> bool {
        let (cache, began) = (OldestDueCache::default(), Instant::now());
        let ended = began + took;
        cache.remember(Environment::Staging, None, began, ended);

        assert!(cache.remembered(Environment::Production, ended).is_none());
        cache
            .remembered(Environment::Staging, ended + after)
            .is_some()
    }

    #[test]
    fn a_costly_time_is_remembered_for_longer_and_ten_seconds_at_most() {
        let millis = Duration::from_millis;

        assert!(is_remembered(millis(100), millis(4_999)));
        assert!(!is_remembered(millis(100), millis(5_000)));
        assert!(!is_remembered(millis(1), millis(50)));
        assert!(!is_remembered(millis(60_000), millis(10_000)));
    }
}
