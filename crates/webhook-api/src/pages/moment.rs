//! Moments as fields of a form tell them: the browser writes them without a zone, and the labels of
//! these fields say that UTC is meant.

use chrono::{DateTime, NaiveDateTime, Utc};

/// How a browser writes a moment; it leaves out seconds that are 0.
const WRITTEN: [&str; 2] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"];

/// A moment of UTC as the API takes it. What is written otherwise stays as it is, for the API to
/// read or to refuse.
pub(crate) fn in_utc(text: &str) -> String {
    let mut read = WRITTEN
        .iter()
        .filter_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let moment = read.next().map(|moment| moment.and_utc());
    moment.map_or_else(|| text.to_owned(), |moment| written(moment, "%FT%TZ"))
}

/// A moment as a field shows it, to the minute.
pub(crate) fn for_field(moment: DateTime<Utc>) -> String {
    written(moment, WRITTEN[0])
}

fn written(moment: DateTime<Utc>, format: &str) -> String {
    moment.format(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_field_says_is_meant_in_utc() {
        assert_eq!(in_utc("2026-11-25T08:30"), "2026-11-25T08:30:00Z");
        assert_eq!(in_utc("2026-11-25T08:30:15"), "2026-11-25T08:30:15Z");
        for other in ["2026-11-25T08:30:00+01:00", "yesterday", ""] {
            assert_eq!(in_utc(other), other);
        }
    }
}
