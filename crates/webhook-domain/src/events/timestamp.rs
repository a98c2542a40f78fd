//! The time of an event: RFC 3339, with a UTC year from 0000 to 9999.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};

/// Why a text is not the time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TimestampError {
    #[error("must be an RFC 3339 time such as 2026-11-23T08:15:30.123Z")]
    NotRfc3339,
    /// An offset can move a time whose year has four digits into a year that has five, or that is
    /// negative.
    #[error("must be a time whose year in UTC is 0000 to 9999")]
    YearInUtc,
}

/// Reads a time. As RFC 3339 (section 5.6) allows, `t` and `z` may be in lower case, a space may
/// replace `T`, and a leap second (`23:59:60`) is valid. Any number of digits may follow the
/// seconds; Postgres keeps microseconds.
pub(super) fn parse_timestamp(text: &str) -> Result<DateTime<Utc>, TimestampError> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| TimestampError::NotRfc3339)?;
    let time = time.to_utc();
    // Postgres stores a leap second as the first second after the leap second, which may belong to
    // the next year.
    let stored = DateTime::from_timestamp_micros(time.timestamp_micros());
    if stored.is_some_and(|stored| (0..=9999).contains(&stored.year())) {
        Ok(time)
    } else {
        Err(TimestampError::YearInUtc)
    }
}

/// Writes an assigned time, to the millisecond.
pub(super) fn write_timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::fraction("2026-11-23T08:15:30.123456789Z")]
    #[case::no_fraction("2026-11-23T08:15:30Z")]
    #[case::lower_case("2026-11-23t08:15:30z")]
    #[case::space("2026-11-23 08:15:30Z")]
    #[case::leap_second("2016-12-31T23:59:60Z")]
    #[case::offset("2026-11-23T08:15:30+23:59")]
    #[case::first_year("0000-01-01T00:00:00Z")]
    #[case::last_year("9999-12-31T23:59:59.999999Z")]
    fn what_rfc_3339_allows_is_a_time(#[case] text: &str) {
        assert!(parse_timestamp(text).is_ok(), "{text}");
    }

    #[rstest]
    #[case::no_offset("2026-11-23T08:15:30", TimestampError::NotRfc3339)]
    #[case::date("2026-11-23", TimestampError::NotRfc3339)]
    #[case::five_digits("+10000-01-01T00:00:00Z", TimestampError::NotRfc3339)]
    #[case::no_such_second("2026-11-23T08:15:61Z", TimestampError::NotRfc3339)]
    #[case::after("9999-12-31T23:59:59-23:59", TimestampError::YearInUtc)]
    #[case::leap_second_after("9999-12-31T23:59:60Z", TimestampError::YearInUtc)]
    #[case::before("0000-01-01T00:00:00+01:00", TimestampError::YearInUtc)]
    fn every_other_text_is_refused(#[case] text: &str, #[case] error: TimestampError) {
        assert_eq!(parse_timestamp(text), Err(error), "{text}");
    }
}
