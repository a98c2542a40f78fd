//! The value of a placeholder on its way into a body.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::limits::MAX_RESULT_BYTES;
use crate::formats::json_view::text;

/// The value of a path in an event, before or after filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// The event has no such field or element.
    Missing,
    /// `null`. Filters and renderer treat the value as missing; the checker knows the difference.
    Null,
    /// A number or a boolean with the characters of its publisher, or an object or array as published.
    Json(Cow<'a, str>),
    /// A text, unescaped, without lone surrogates.
    Text(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// A text that needs no unescaping.
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// The value of a piece of JSON.
    pub(super) fn of(raw: &'a RawValue) -> Self {
        let json = raw.get();
        match json.as_bytes().first() {
            Some(b'n') | None => Self::Null,
            Some(b'"') => Self::Text(unescaped(json)),
            Some(_) => Self::Json(Cow::Borrowed(json)),
        }
    }

    /// The value without a copy of its text.
    pub(super) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Missing => Value::Missing,
            Self::Null => Value::Null,
            Self::Json(json) => Value::Json(Cow::Borrowed(json)),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
        }
    }

    /// The value as text of at most 64 KiB: objects and arrays as compact JSON. A longer text ends with
    /// `…`, which every later cut repeats. `None`: missing or null.
    pub(super) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Missing | Self::Null => None,
            Self::Text(text) => Some(bounded(text)),
            Self::Json(json) => Some(compact(json)),
        }
    }
}

/// The content of a JSON string.
fn unescaped(json: &str) -> Cow<'_, str> {
    let content = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match content {
        Some(content) if !content.contains('\\') => Cow::Borrowed(content),
        Some(_) | None => Cow::Owned(text(json).unwrap_or_default()),
    }
}

fn bounded(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= MAX_RESULT_BYTES {
        return text;
    }
    let mut ends = (0..=MAX_RESULT_BYTES).rev();
    let end = ends
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or_default();
    Cow::Owned(format!("{}…", &text[..end]))
}

/// JSON without white space between its tokens.
fn compact(json: Cow<'_, str>) -> Cow<'_, str> {
    let Some(first) = next_space(&json, 0) else {
        return bounded(json);
    };
    let mut written = String::with_capacity(json.len().min(MAX_RESULT_BYTES));
    let (mut from, mut space) = (0, first);
    // A text over the limit is cut in any case: the rest need not be read.
    while written.len() <= MAX_RESULT_BYTES {
        written.push_str(&json[from..space]);
        from = space + 1;
        match next_space(&json, from) {
            Some(next) => space = next,
            None => {
                written.push_str(&json[from..]);
                break;
            }
        }
    }
    bounded(Cow::Owned(written))
}

/// The place of the next white space outside strings, from a place outside strings.
fn next_space(json: &str, from: usize) -> Option<usize> {
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, byte) in json.bytes().enumerate().skip(from) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b' ' | b'\t' | b'\n' | b'\r' if !in_string => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::space(r#"{ "a b" : [ 1 , 2 ] }"#, r#"{"a b":[1,2]}"#)]
    #[case::escapes(r#"{"a\" b": "c\\" , "d" : 1}"#, r#"{"a\" b":"c\\","d":1}"#)]
    #[case::compact(r#"{"a":"b c"}"#, r#"{"a":"b c"}"#)]
    #[case::digits("1.50e400", "1.50e400")]
    #[case::surrogate(r#""x\ud800""#, "x\u{fffd}\u{fffd}\u{fffd}")]
    fn a_value_becomes_text(#[case] json: &str, #[case] expected: &str) {
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");

        assert_eq!(Value::of(raw).into_text().as_deref(), Some(expected));
    }

    #[test]
    fn a_text_over_the_limit_is_cut_and_marked() {
        let long = format!("[{} 1]", "1, ".repeat(100_000));
        let raw: &RawValue = serde_json::from_str(&long).expect("JSON");

        let text = Value::of(raw).into_text().expect("a text");

        assert!(text.ends_with('…') && text.len() <= MAX_RESULT_BYTES + 3);
        assert!(text.starts_with("[1,1,1,"));
    }
}
