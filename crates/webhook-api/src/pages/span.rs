//! How long something takes, in words.

use chrono::TimeDelta;

/// Tells a span by its two greatest units: `230 ms`, `4.2 s`, `3 min 20 s`, `2 d 4 h`.
pub(crate) fn span(span: TimeDelta) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_by_its_two_greatest_units() {
        for (millis, told) in [
            (-5, "0 ms"),
            (230, "230 ms"),
            (4_290, "4.2 s"),
            (14_900, "14 s"),
            (200_000, "3 min 20 s"),
            (7_200_000, "2 h"),
            (187_300_000, "2 d 4 h"),
        ] {
            assert_eq!(span(TimeDelta::milliseconds(millis)), told);
        }
    }
}
