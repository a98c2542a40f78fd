//! When a receiver wants to be asked again.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The longest time that a `Retry-After` is taken to mean: 30 days, beyond every retry policy.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Reads the value of `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date. `None`: it is past,
/// or no such value.
pub fn parse_retry_after(value: &[u8], now: DateTime<Utc>) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a long time, too.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some((date.to_utc() - now).to_std().ok()?.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let read = |text: &str| {
            let delay = parse_retry_after(text.as_bytes(), DateTime::UNIX_EPOCH);
            delay.map(|delay| delay.as_secs())
        };

        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Thu, 01 Jan 1970 00:01:00 GMT"), Some(60));
        assert_eq!(read("Wed, 31 Dec 1969 23:59:00 GMT"), None);
        assert_eq!(read("99999999999999999999999"), Some(LONGEST.as_secs()));
        assert_eq!(
            read("Fri, 31 Dec 9999 23:59:59 GMT"),
            Some(LONGEST.as_secs())
        );
        for nonsense in ["-5", "+5", "", "soon", "\u{0}"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
