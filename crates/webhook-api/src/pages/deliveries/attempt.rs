//! An attempt as its page shows it: what came of it, and where its time went.

use chrono::TimeDelta;

use super::body_notes::body_notes;
use super::readable::Readable;
use crate::pages::filters::label_of;
use crate::pages::span::in_short;
use crate::routes::deliveries::read::AttemptBody;

/// An attempt.
pub(super) struct ShownAttempt {
    pub(super) attempt: AttemptBody,
    /// What it got, in a few words: `500`, `Timeout`.
    pub(super) answer: String,
    pub(super) duration: String,
    pub(super) parts: Vec<Part>,
    pub(super) response: Option<Readable>,
    /// Where it is on the page; a number may come twice.
    pub(super) anchor: String,
}

/// A part of an attempt's time, in its bar.
pub(super) struct Part {
    pub(super) name: &'static str,
    /// Of its colour.
    pub(super) class: &'static str,
    pub(super) duration: String,
    pub(super) x: u32,
    pub(super) width: u32,
}

impl ShownAttempt {
    /// How wide the longest attempt's bar is, in its own units.
    pub(super) const BAR_WIDTH: u32 = 1_000;

    /// Shows the attempts of a delivery, the newest first, their bars to one scale.
    pub(super) fn all(attempts: Vec<AttemptBody>, raw: bool) -> Vec<Self> {
        let longest = attempts.iter().map(|attempt| attempt.duration_ms).max();
        let longest = longest.unwrap_or_default();
        let shown = attempts.into_iter().enumerate();
        let shown = shown.map(|(place, attempt)| Self::of(attempt, place, longest, raw));
        shown.rev().collect()
    }

    /// Whether the webhook accepted the delivery.
    pub(super) fn is_accepted(&self) -> bool {
        self.attempt.failure_class.is_none()
    }

    /// What is to be said of the response's body beside its text.
    pub(super) fn body_notes(&self) -> Vec<String> {
        body_notes(&self.attempt)
    }

    /// Its parts in words, for who does not see the bar.
    pub(super) fn told(&self) -> String {
        let parts = self.parts.iter();
        let parts = parts.map(|part| format!("{} {}", part.name, part.duration));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn of(attempt: AttemptBody, place: usize, longest: i32, raw: bool) -> Self {
        let class = attempt.failure_class.filter(|class| *class != "status");
        let status = attempt.response_status.map(|status| status.to_string());
        let body = attempt.response_body.as_deref();
        Self {
            answer: class.map(label_of).or(status).unwrap_or_default(),
            duration: in_short(TimeDelta::milliseconds(attempt.duration_ms.into())),
            parts: parts(&attempt, longest),
            response: body
                .filter(|body| !body.is_empty())
                .map(|body| Readable::of(body, raw)),
            anchor: format!("attempt-{}", place + 1),
            attempt,
        }
    }
}

/// Cuts an attempt's time up, in order. What took no time is left out.
fn parts(attempt: &AttemptBody, longest: i32) -> Vec<Part> {
    let dns = attempt.dns_ms.unwrap_or(0);
    let connect = attempt.connect_ms.unwrap_or(0);
    let total = attempt.duration_ms;
    let named = match attempt.first_byte_ms {
        Some(first) => [
            ("DNS", "dns", dns),
            ("Connect", "connect", connect),
            ("First byte", "wait", first - dns - connect),
            ("Rest", "rest", total - first),
        ],
        None => [
            ("DNS", "dns", dns),
            ("Connect", "connect", connect),
            ("No answer", "wait", total - dns - connect),
            ("Rest", "rest", 0),
        ],
    };
    let mut x = 0;
    let named = named.into_iter().filter(|(.., millis)| *millis > 0);
    let parts = named.map(|(name, class, millis)| {
        let width = width(millis, longest);
        let part = Part {
            name,
            class,
            duration: in_short(TimeDelta::milliseconds(millis.into())),
            x,
            width,
        };
        x += width;
        part
    });
    parts.collect()
}

fn width(millis: i32, longest: i32) -> u32 {
    let width = i64::from(millis) * i64::from(ShownAttempt::BAR_WIDTH) / i64::from(longest.max(1));
    u32::try_from(width).unwrap_or(ShownAttempt::BAR_WIDTH)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn attempt(total: i32, first_byte_ms: Option<i32>) -> AttemptBody {
        AttemptBody {
            number: 1,
            started_at: chrono::DateTime::UNIX_EPOCH,
            duration_ms: total,
            dns_ms: None,
            connect_ms: Some(10),
            first_byte_ms,
            log: "expired",
            request_url: None,
            request_headers: Vec::new(),
            response_status: None,
            response_headers: Vec::new(),
            response_body: None,
            response_body_bytes: None,
            response_body_end: None,
            response_body_truncated: false,
            response_body_decoded_from: None,
            repeated: None,
            failure_class: Some("timeout"),
            failure_detail: None,
            advice: None,
        }
    }

    #[test]
    fn the_parts_of_an_attempt_are_its_whole_time() {
        let drawn = |attempt: &AttemptBody, longest| {
            let parts = parts(attempt, longest);
            let parts = parts.iter().map(|part| (part.name, part.x, part.width));
            parts.collect::<Vec<_>>()
        };

        assert_eq!(
            drawn(&attempt(100, Some(90)), 100),
            [
                ("Connect", 0, 100),
                ("First byte", 100, 800),
                ("Rest", 900, 100)
            ]
        );
        assert_eq!(
            drawn(&attempt(100, None), 200),
            [("Connect", 0, 50), ("No answer", 50, 450)]
        );
    }

    #[test]
    fn the_newest_attempt_comes_first_and_says_what_it_got() {
        let shown = ShownAttempt::all(vec![attempt(1, None), attempt(2, None)], false);

        let anchors = shown.iter().map(|attempt| attempt.anchor.as_str());
        assert_eq!(anchors.collect::<Vec<_>>(), ["attempt-2", "attempt-1"]);
        assert_eq!(shown[0].answer, "Timeout");
        assert_eq!(shown[0].told(), "Connect 10 ms");
    }
}
