//! Moments in HTML: `<time>` elements in UTC, which a script shows in the reader's time zone.

use chrono::{DateTime, NaiveDateTime, Utc};

/// The formats of times in messages of the API, without the ` UTC` at their end, and their lengths in
/// bytes. The longer format comes first: the shorter one is its beginning.
const IN_MESSAGES: [(&str, usize); 2] = [("%Y-%m-%d %H:%M:%S", 19), ("%Y-%m-%d %H:%M", 16)];

/// The end of a time in a message.
const ZONE: &str = " UTC";

/// A time as an element.
pub(crate) fn element(at: &DateTime<Utc>) -> String {
    marked(at, "")
}

/// A time as an element, whose text a script makes relative: `3 min ago`.
pub(crate) fn relative_element(at: &DateTime<Utc>) -> String {
    marked(at, " data-show=\"ago\"")
}

/// A message with its times as elements. The rest of the message stays as it is.
pub(crate) fn mark_times(message: &str) -> String {
    let mut marked = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(zone) = rest.find(ZONE) {
        let (before, after) = (&rest[..zone], &rest[zone + ZONE.len()..]);
        match last_time(before) {
            Some((start, at)) => {
                marked.push_str(&before[..start]);
                marked.push_str(&element(&at));
            }
            None => marked.push_str(&rest[..zone + ZONE.len()]),
        }
        rest = after;
    }
    marked.push_str(rest);
    marked
}

/// The time at the end of a text, with the place where the time starts.
fn last_time(text: &str) -> Option<(usize, DateTime<Utc>)> {
    IN_MESSAGES.iter().find_map(|(format, length)| {
        let start = text.len().checked_sub(*length)?;
        let time = NaiveDateTime::parse_from_str(text.get(start..)?, format);
        Some((start, time.ok()?.and_utc()))
    })
}

fn marked(at: &DateTime<Utc>, attribute: &str) -> String {
    format!(
        "<time datetime=\"{}\"{attribute} title=\"{} UTC\">{}</time>",
        at.format("%Y-%m-%dT%H:%M:%S%.3fZ"),
        at.format("%Y-%m-%d %H:%M:%S%.3f"),
        at.format("%-d %b %Y, %H:%M:%S UTC"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_message_become_elements() {
        let marked = mark_times(
            "due since 2026-11-27 04:05:02 UTC, expired on 2026-10-31 23:59 UTC; in UTC",
        );

        assert_eq!(marked.matches("<time ").count(), 2, "{marked}");
        assert!(marked.starts_with("due since <time datetime=\"2026-11-27T04:05:02.000Z\""));
        assert!(
            marked.contains("31 Oct 2026, 23:59:00 UTC</time>; in UTC"),
            "{marked}"
        );
    }

    #[test]
    fn a_message_without_a_time_stays_as_it_is() {
        for message in [
            "",
            " UTC",
            "é UTC",
            "at 99:99 UTC",
            "2026-13-40 04:05:02 UTC",
        ] {
            assert_eq!(mark_times(message), message);
        }
    }
}
