//! The response header `Retry-After`: how long a receiver asks to wait.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

/// The longest wait that a `Retry-After` can ask for: 30 days, longer than any retry policy. Longer
/// waits are cut to this one.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Reads the value of `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. `None`: the
/// date is in the past, or the value is neither.
///
/// The date may have any of the three forms of RFC 9110, section 5.6.7 (IMF-fixdate, RFC 850,
/// asctime), or the form of e-mail dates, which have a zone. Seconds may have a fraction (`60.5`),
/// which receivers send although the RFC does not allow a fraction.
pub fn parse_retry_after(value: &[u8], now: DateTime<Utc>) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let asked = match parse_seconds(text) {
        Some(seconds) => seconds,
        None => (parse_date(text)? - now).to_std().ok()?,
    };
    Some(asked.min(MAX_RETRY_AFTER))
}

/// Reads digits, with or without a fraction. A number that no `Duration` holds is read as the
/// longest `Duration`.
fn parse_seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let seconds: f64 = text.parse().ok()?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// Reads a number of seconds outside of `Retry-After`, such as the `5e-1` of a JSON text, cut to
/// `longest`. `None`: no number from 0 on.
pub(crate) fn bounded_seconds(text: &str, longest: Duration) -> Option<Duration> {
    // Digits first: the parser of floats also takes `inf`, `nan` and `+1`.
    let is_number = text.starts_with(|first: char| first.is_ascii_digit());
    let seconds: f64 = text.parse().ok().filter(|_| is_number)?;
    let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    Some(wait.min(longest))
}

fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    let http: Option<SystemTime> = httpdate::parse_http_date(text).ok();
    let email = || DateTime::parse_from_rfc2822(text).ok();
    http.map(DateTime::from)
        .or_else(|| email().map(|date| date.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// 59 minutes and 23 seconds before the date of RFC 9110's examples.
    const NOW: &str = "1994-11-06T07:50:14Z";

    fn read(text: &str) -> Option<Duration> {
        let now = NOW.parse().expect("a time");
        parse_retry_after(text.as_bytes(), now)
    }

    #[rstest]
    #[case::imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT")]
    #[case::rfc_850("Sunday, 06-Nov-94 08:49:37 GMT")]
    #[case::asctime("Sun Nov  6 08:49:37 1994")]
    #[case::with_a_zone("Sun, 06 Nov 1994 09:49:37 +0100")]
    #[case::without_a_weekday("6 Nov 1994 08:49:37 +0000")]
    #[case::between_blanks(" Sun, 06 Nov 1994 08:49:37 GMT\t")]
    fn every_form_of_a_date_is_read(#[case] text: &str) {
        assert_eq!(read(text), Some(Duration::from_secs(59 * 60 + 23)));
    }

    #[test]
    fn a_year_of_two_digits_is_of_this_century_below_70() {
        let now = "2026-11-06T08:49:30Z".parse().expect("a time");

        let delay = parse_retry_after(b"Friday, 06-Nov-26 08:49:37 GMT", now);

        assert_eq!(delay, Some(Duration::from_secs(7)));
    }

    #[rstest]
    #[case("120", 120_000)]
    #[case("60.5", 60_500)]
    #[case("0", 0)]
    #[case("0.25", 250)]
    fn seconds_may_have_a_fraction(#[case] text: &str, #[case] millis: u64) {
        assert_eq!(read(text), Some(Duration::from_millis(millis)));
    }

    #[rstest]
    #[case("99999999999999999999999")]
    #[case("99999999999999999999999.9")]
    #[case("Fri, 31 Dec 9999 23:59:59 GMT")]
    fn a_longer_time_than_30_days_is_cut(#[case] text: &str) {
        assert_eq!(read(text), Some(MAX_RETRY_AFTER));
        assert_eq!(read(&"9".repeat(1_000)), Some(MAX_RETRY_AFTER));
    }

    #[rstest]
    #[case::past("Sun, 06 Nov 1994 07:50:13 GMT")]
    #[case("-5")]
    #[case("+5")]
    #[case("")]
    #[case(".")]
    #[case("5.")]
    #[case(".5")]
    #[case("1e3")]
    #[case("60,5")]
    #[case("inf")]
    #[case("soon")]
    #[case("\u{0}")]
    #[case("Sun, 06 Nov 1994 08:49:37 ÄÖÜ")]
    fn the_past_and_nonsense_are_no_time(#[case] text: &str) {
        assert_eq!(read(text), None);
    }
}
