//! An attempt on the page of a delivery: the result, and a bar of the time.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::body_notes::body_notes;
use super::readable::Readable;
use crate::duration_text::in_short;
use crate::filters::label_of;
use webhook_admin::deliveries::{AttemptBody, TranscriptState};
use webhook_domain::FailureClass;

/// An attempt with the texts for the page.
pub(super) struct ShownAttempt {
    pub(super) attempt: AttemptBody,
    /// The result in a few words: `500`, `Timeout`.
    pub(super) result: String,
    pub(super) duration: String,
    pub(super) parts: Vec<Part>,
    /// The body of the request, where the format of the webhook is another than `json`.
    pub(super) request: Option<Readable>,
    pub(super) response: Option<Readable>,
    /// The advice, unless a newer attempt has the same.
    pub(super) advice: Option<&'static str>,
    /// The id of the attempt's HTML element, by the place in the list: the attempt's number may come
    /// twice.
    pub(super) anchor: String,
}

/// A part of an attempt's time, as a rectangle of the bar.
pub(super) struct Part {
    pub(super) name: &'static str,
    /// The CSS class for the colour.
    pub(super) class: &'static str,
    pub(super) duration: String,
    pub(super) x: u32,
    pub(super) width: u32,
}

impl ShownAttempt {
    /// The width of the longest attempt's bar, in units of the drawing.
    pub(super) const BAR_WIDTH: u32 = 1_000;

    /// The attempts of a delivery, newest first, all bars drawn to the same scale.
    pub(super) fn all(attempts: Vec<AttemptBody>, raw: bool) -> Vec<Self> {
        let longest = attempts.iter().map(|attempt| attempt.duration_ms).max();
        let longest = longest.unwrap_or_default();
        let shown = attempts.into_iter().enumerate();
        let shown = shown.map(|(place, attempt)| Self::of(attempt, place, longest, raw));
        let mut shown: Vec<Self> = shown.rev().collect();
        let mut told = HashSet::new();
        for attempt in &mut shown {
            // Twelve attempts that fail alike would repeat the same sentence twelve times.
            attempt.advice = attempt.advice.filter(|advice| told.insert(*advice));
        }
        shown
    }

    /// Whether the webhook accepted the delivery.
    pub(super) fn is_accepted(&self) -> bool {
        self.attempt.failure_class.is_none()
    }

    /// Sentences about the response's body, to stand under the text.
    pub(super) fn body_notes(&self) -> Vec<String> {
        body_notes(&self.attempt)
    }

    /// Whether the request and the response are logged and could not be read.
    pub(super) fn is_unreadable(&self) -> bool {
        self.attempt.log == TranscriptState::Unreadable
    }

    /// The parts in words, for a screen reader.
    pub(super) fn parts_in_words(&self) -> String {
        let parts = self.parts.iter();
        let parts = parts.map(|part| format!("{} {}", part.name, part.duration));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn of(attempt: AttemptBody, place: usize, longest: i32, raw: bool) -> Self {
        // For the class `status` the status itself says more.
        let class = attempt.failure_class;
        let class = class.filter(|class| *class != FailureClass::Status);
        let class = class.map(|class| label_of(class.as_str()));
        let status = attempt.response_status.map(|status| status.to_string());
        let body = attempt.response_body.as_deref();
        Self {
            result: class.or(status).unwrap_or_default(),
            duration: in_short(TimeDelta::milliseconds(attempt.duration_ms.into())),
            parts: parts(&attempt, longest),
            request: attempt
                .request_body
                .as_deref()
                .map(|body| Readable::of(body, raw)),
            response: body
                .filter(|body| !body.is_empty())
                .map(|body| Readable::of(body, raw)),
            advice: attempt.advice,
            anchor: format!("attempt-{}", place + 1),
            attempt,
        }
    }
}

/// The parts of an attempt's time, in order. Parts without a duration are left out.
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
            ("No response", "wait", total - dns - connect),
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
            log: TranscriptState::Expired,
            request_url: None,
            request_headers: Vec::new(),
            request_body: None,
            template_version: None,
            response_status: None,
            response_headers: Vec::new(),
            response_body: None,
            response_body_bytes: None,
            response_body_end: None,
            response_body_truncated: false,
            response_body_decoded_from: None,
            repeated: None,
            failure_class: Some(FailureClass::Timeout),
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
            [("Connect", 0, 50), ("No response", 50, 450)]
        );
    }

    #[test]
    fn the_newest_attempt_comes_first_and_says_what_it_got() {
        let shown = ShownAttempt::all(vec![attempt(1, None), attempt(2, None)], false);

        let anchors = shown.iter().map(|attempt| attempt.anchor.as_str());
        assert_eq!(anchors.collect::<Vec<_>>(), ["attempt-2", "attempt-1"]);
        assert_eq!(shown[0].result, "Timeout");
        assert_eq!(shown[0].parts_in_words(), "Connect 10 ms");
    }

    #[test]
    fn the_same_advice_stands_at_the_newest_attempt_only() {
        let advised = |advice: &'static str| AttemptBody {
            advice: Some(advice),
            ..attempt(1, None)
        };

        let shown = ShownAttempt::all(vec![advised("a"), advised("b"), advised("b")], false);

        let told = shown.iter().map(|attempt| attempt.advice);
        assert_eq!(told.collect::<Vec<_>>(), [Some("b"), None, Some("a")]);
    }
}
