//! Spans of time in words: `10s`, `30m`, `24h`, `7d`, or `0`.

use std::time::Duration;

const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

/// Reads a span of at most `max`.
pub fn parse_duration(text: &str, max: Duration) -> Result<Duration, String> {
    let refused = || {
        format!(
            "must be a time such as 10s, 30m, 24h or 7d, at most {}",
            write_duration(max)
        )
    };
    let duration = parse(text).ok_or_else(refused)?;
    if duration > max {
        Err(refused())
    } else {
        Ok(duration)
    }
}

/// Writes a span as a whole number of the largest possible unit.
pub fn write_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let fits = |(_, unit): &&(&str, u64)| seconds >= *unit && seconds.is_multiple_of(*unit);
    match UNITS.iter().rfind(fits) {
        Some((name, unit)) => format!("{}{name}", seconds / unit),
        None => "0".to_owned(),
    }
}

fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    if !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    number.checked_mul(*seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_with_its_largest_unit() {
        for (text, written) in [
            ("0", "0"),
            ("0d", "0"),
            ("90s", "90s"),
            ("60m", "1h"),
            ("36h", "36h"),
            ("48h", "2d"),
        ] {
            let parsed = parse_duration(text, Duration::MAX);
            assert_eq!(parsed.map(write_duration).as_deref(), Ok(written), "{text}");
        }
    }

    #[test]
    fn a_span_has_a_number_and_a_unit() {
        let max = Duration::from_secs(7 * 86_400);
        for (text, seconds) in [
            ("0", 0),
            ("10s", 10),
            ("30m", 1_800),
            ("24h", 86_400),
            ("7d", 604_800),
        ] {
            assert_eq!(
                parse_duration(text, max),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for wrong in [
            "",
            "s",
            "10",
            "-1s",
            "+1s",
            "1.5h",
            "10é",
            "8d",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(parse_duration(wrong, max).is_err(), "{wrong}");
        }
    }
}
