//! Filters of templates: values as the pages show them.

#![allow(unreachable_pub, reason = "the macro of a filter makes it public")]

use std::fmt::Display;

use askama::Values;
use askama::filters::{Html, Safe, escape};
use chrono::{DateTime, Utc};

use super::duration_text::in_words;
use super::moment;
use super::shorten;

/// A time as an HTML element in UTC. A script changes the text to the reader's time zone.
#[askama::filter_fn]
pub(crate) fn time(at: &DateTime<Utc>, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(moment::element(at)))
}

/// A time for a list: a script changes the text to `3 min ago`, and the title to the exact time in the
/// reader's time zone.
#[askama::filter_fn]
pub(crate) fn ago(at: &DateTime<Utc>, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(moment::relative_element(at)))
}

/// The time of a query (RFC 3339) as an HTML element; any other text as text.
#[askama::filter_fn]
pub(crate) fn text_time(text: &str, _: &dyn Values) -> askama::Result<Safe<String>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Safe(moment::element(&at.to_utc())));
    }
    Ok(Safe(escape(text, Html)?.to_string()))
}

/// A message of the API as HTML, with the times in it (`2026-11-27 04:05:02 UTC`) as elements.
#[askama::filter_fn]
pub(crate) fn timed<T: Display>(message: T, _: &dyn Values) -> askama::Result<Safe<String>> {
    // Escaped first: the message may repeat text that came from outside.
    let message = escape(message.to_string(), Html)?.to_string();
    Ok(Safe(moment::mark_times(&message)))
}

/// A URL on one line, shortened in the middle; the whole URL shows on focus and hover.
#[askama::filter_fn]
pub(crate) fn short_url<T: Display>(url: T, _: &dyn Values) -> askama::Result<Safe<String>> {
    let url = url.to_string();
    let text = |part: &str| Ok::<_, askama::Error>(escape(part, Html)?.to_string());
    let (head, tail) = shorten::halves(&url);
    Ok(Safe(format!(
        "<span class=\"tip middle\" tabindex=\"0\"><span class=\"head-part\">{}</span><span>{}</span>\
         <span class=\"tip-text\">{}</span></span>",
        text(head)?,
        text(tail)?,
        text(&url)?,
    )))
}

/// The beginning and the end of an id: `0192f0c1…4d5e`. The beginning of a UUID v7 is a time, which
/// neighbours in a list share.
#[askama::filter_fn]
pub(crate) fn short_id<T: Display>(id: T, _: &dyn Values) -> askama::Result<String> {
    Ok(shorten::id(&id.to_string()))
}

/// A time of a query (RFC 3339) as the value of a browser's time field, in UTC; empty if the text is no
/// time.
#[askama::filter_fn]
pub(crate) fn field_time(text: &str, _: &dyn Values) -> askama::Result<String> {
    let time = DateTime::parse_from_rfc3339(text);
    Ok(time.map_or(String::new(), |time| {
        time.to_utc().format("%Y-%m-%dT%H:%M:%S").to_string()
    }))
}

/// A share as a percentage, never rounded up to 100 %: `99.95 %`.
#[askama::filter_fn]
pub(crate) fn percent(share: &f64, _: &dyn Values) -> askama::Result<String> {
    Ok(percent_of(*share))
}

/// A number with its thousands separated: `12,345`.
#[askama::filter_fn]
pub(crate) fn grouped(number: &i64, _: &dyn Values) -> askama::Result<String> {
    Ok(group(*number))
}

/// Milliseconds in words: `15 seconds`.
#[askama::filter_fn]
pub(crate) fn duration(millis: &u64, _: &dyn Values) -> askama::Result<String> {
    Ok(in_words(*millis))
}

/// A name of the API as a label: `production` is shown as `Production`.
#[askama::filter_fn]
pub(crate) fn label<T: Display>(name: T, _: &dyn Values) -> askama::Result<String> {
    Ok(label_of(&name.to_string()))
}

/// The label of a name of the API. The name of an event type, which has a dot, stays as it is.
pub(crate) fn label_of(name: &str) -> String {
    if name.contains('.') {
        return name.to_owned();
    }
    let words = name.split(['_', ' ']).map(|word| match word {
        "api" | "dns" | "id" | "tls" | "url" => word.to_ascii_uppercase(),
        word => word.to_owned(),
    });
    with_capital(&words.collect::<Vec<_>>().join(" "))
}

/// A message of the API, which begins in lower case and has no full stop, as a sentence.
#[askama::filter_fn]
pub(crate) fn sentence(message: &str, _: &dyn Values) -> askama::Result<String> {
    Ok(as_sentence(message))
}

/// A message of the API as HTML, with text between backticks as `<code>`.
#[askama::filter_fn]
pub(crate) fn coded(message: &str, _: &dyn Values) -> askama::Result<Safe<String>> {
    // Escaped first: the message may repeat text that came from outside.
    let parts = escape(message, Html)?.to_string();
    let parts = parts.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 1 {
            format!("<code>{part}</code>")
        } else {
            part.to_owned()
        }
    });
    Ok(Safe(parts.collect()))
}

/// A message of the API as a sentence.
pub(crate) fn as_sentence(message: &str) -> String {
    let text = with_capital(message);
    if text.ends_with(['.', '?', '!']) {
        text
    } else {
        format!("{text}.")
    }
}

fn with_capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn percent_of(share: f64) -> String {
    let percent = (share * 10_000.0).floor() / 100.0;
    let text = format!("{percent:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    format!("{short} %")
}

/// A number with its thousands separated.
pub(crate) fn group(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(group(0), "0");
        assert_eq!(group(999), "999");
        assert_eq!(group(12_345), "12,345");
        assert_eq!(group(-1_000_000), "-1,000,000");
    }

    #[test]
    fn what_failed_once_is_never_shown_as_100_percent() {
        assert_eq!(percent_of(1.0), "100 %");
        assert_eq!(percent_of(0.999_99), "99.99 %");
        assert_eq!(percent_of(0.5), "50 %");
        assert_eq!(percent_of(0.0), "0 %");
    }
}
