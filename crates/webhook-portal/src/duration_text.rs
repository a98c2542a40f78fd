//! Durations as people write and read them: `10s`, `2 days 15 hours`. The API has milliseconds.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;

use webhook_admin::duration::{parse_duration, write_duration};

/// The reason for refusing a text that is no duration.
pub(crate) const EXPECTED: &str = "must be a time such as 500ms, 10s, 30m, 12h or 7d";

/// The units of [`in_words`], in milliseconds.
const UNITS: [(u64, &str); 5] = [
    (86_400_000, "day"),
    (3_600_000, "hour"),
    (60_000, "minute"),
    (1_000, "second"),
    (1, "millisecond"),
];

/// Reads milliseconds: `500ms`, or whole seconds, minutes, hours or days.
pub(crate) fn read_millis(text: &str) -> Option<u64> {
    if let Some(millis) = text.strip_suffix("ms") {
        let digits = millis.bytes().all(|digit| digit.is_ascii_digit());
        return digits.then(|| millis.parse().ok()).flatten();
    }
    let duration = parse_duration(text, Duration::MAX).ok()?;
    u64::try_from(duration.as_millis()).ok()
}

/// The JSON number of milliseconds of a text. Other texts stay texts, and are refused by the API's reader.
pub(crate) fn as_api(text: &str) -> Value {
    read_millis(text).map_or_else(|| text.into(), Value::from)
}

/// Writes milliseconds as [`read_millis`] reads them.
pub(crate) fn write_millis(millis: u64) -> String {
    if millis.is_multiple_of(1_000) {
        write_duration(Duration::from_millis(millis))
    } else {
        format!("{millis}ms")
    }
}

/// Writes a duration with its two greatest units, abbreviated: `230 ms`, `4.2 s`, `2 d 4 h`.
pub(crate) fn in_short(span: TimeDelta) -> String {
    let millis = span.num_milliseconds().max(0);
    let seconds = millis / 1_000;
    match seconds {
        0 => format!("{millis} ms"),
        1..=9 => format!("{seconds}.{} s", millis % 1_000 / 100),
        10..=59 => format!("{seconds} s"),
        60..=3_599 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..=86_399 => two(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

fn two(great: i64, unit: &str, small: i64, smaller: &str) -> String {
    if small == 0 {
        format!("{great} {unit}")
    } else {
        format!("{great} {unit} {small} {smaller}")
    }
}

/// Writes milliseconds with their two greatest units, in words: `2 days 15 hours`.
pub(crate) fn in_words(millis: u64) -> String {
    let mut left = millis;
    let counted = UNITS.map(|(unit, name)| {
        let count = left / unit;
        left %= unit;
        (count, name)
    });
    let told = counted.iter().skip_while(|(count, _)| *count == 0);
    let parts = told.take(2).filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, name)| format!("{count} {name}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() {
        return "0 seconds".to_owned();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_as_it_is_written() {
        for (text, millis) in [
            ("0", 0),
            ("500ms", 500),
            ("1500ms", 1_500),
            ("10s", 10_000),
            ("12h", 43_200_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(read_millis(text), Some(millis), "{text}");
            assert_eq!(write_millis(millis), text);
        }
        for wrong in ["", "ms", "10", "-1ms", "1.5s", "99999999999999999999ms"] {
            assert_eq!(read_millis(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_span_goes_to_the_api_as_it_is() {
        assert_eq!(as_api("10s"), 10_000);
        assert_eq!(as_api("soon"), "soon");
    }

    #[test]
    fn a_span_is_told_in_short() {
        for (millis, told) in [
            (-5, "0 ms"),
            (230, "230 ms"),
            (4_290, "4.2 s"),
            (14_900, "14 s"),
            (200_000, "3 min 20 s"),
            (7_200_000, "2 h"),
            (187_300_000, "2 d 4 h"),
        ] {
            assert_eq!(in_short(TimeDelta::milliseconds(millis)), told);
        }
    }

    #[test]
    fn a_span_is_told_by_its_two_greatest_units() {
        for (millis, words) in [
            (0, "0 seconds"),
            (100, "100 milliseconds"),
            (1_000, "1 second"),
            (90_000, "1 minute 30 seconds"),
            (86_401_000, "1 day"),
            (227_410_000, "2 days 15 hours"),
        ] {
            assert_eq!(in_words(millis), words);
        }
    }
}
