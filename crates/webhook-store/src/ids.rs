//! UUIDs v7: ids that begin with the time of creation, in milliseconds.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The least UUID v7 of a time.
pub(crate) fn least_id_at(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(u128::from(millis & 0xffff_ffff_ffff) << 80)
}

/// The time in a UUID v7, to the millisecond.
pub(crate) fn time_of(id: Uuid) -> DateTime<Utc> {
    let millis = i64::try_from(id.as_u128() >> 80).unwrap_or(0);
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_the_time_that_it_was_made_at() {
        let id = Uuid::now_v7();

        assert!(least_id_at(time_of(id)) <= id);
        assert!((Utc::now() - time_of(id)).num_seconds() < 5);
    }
}
