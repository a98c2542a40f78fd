//! Pieces of a text with the markup of a chat service: letters, emphasis, links and times.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

/// The most characters of a drawn text. Built-in formats write less; the rest of a longer text of a template
/// stands in the body below the drawing.
const MAX_CHARS: usize = 6_000;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Span {
    Text(String),
    Bold(String),
    Italic(String),
    Struck(String),
    Code(String),
    Link {
        text: String,
        url: String,
    },
    /// A time, which the service shows in the reader's time zone.
    Time(DateTime<Utc>),
}

/// A mark on both sides of an emphasis, with the piece that the mark makes of the text in between.
pub(super) type Mark = (&'static str, fn(String) -> Span);

impl Span {
    /// A link to a page; letters for any other address, which a browser could run.
    pub(super) fn link(text: impl Into<String>, url: &str) -> Self {
        let text = text.into();
        match page(url) {
            Some(url) => Self::Link { text, url },
            None => Self::Text(text),
        }
    }
}

/// An address that a browser only opens: `http` or `https`.
pub(super) fn page(url: &str) -> Option<String> {
    let parsed = Url::parse(url).ok()?;
    matches!(parsed.scheme(), "http" | "https").then(|| parsed.to_string())
}

/// Reads a text from left to right. `next` takes a piece with its length in bytes from the start of the rest,
/// given the character before; where `next` takes nothing, a single letter is taken.
pub(super) fn read(
    text: &str,
    next: impl Fn(Option<char>, &str) -> Option<(Span, usize)>,
) -> Vec<Span> {
    let end = text.char_indices().nth(MAX_CHARS);
    let (mut rest, mut before) = (&text[..end.map_or(text.len(), |(end, _)| end)], None);
    let mut spans = Vec::new();
    while let Some(first) = rest.chars().next() {
        let letter = || (Span::Text(first.to_string()), first.len_utf8());
        let (span, length) = next(before, rest).unwrap_or_else(letter);
        push(&mut spans, span);
        before = rest[..length].chars().next_back();
        rest = &rest[length..];
    }
    spans
}

/// Adds a piece; letters are joined with letters before.
fn push(spans: &mut Vec<Span>, span: Span) {
    if let (Some(Span::Text(before)), Span::Text(text)) = (spans.last_mut(), &span) {
        before.push_str(text);
    } else {
        spans.push(span);
    }
}

/// The text between two marks at the start of `rest`, with the length of all: `*bold*`. `None`: no second
/// mark, nothing in between, or space beside a mark.
pub(super) fn enclosed<'a>(rest: &'a str, mark: &str) -> Option<(&'a str, usize)> {
    let inner = rest.strip_prefix(mark)?;
    let inner = &inner[..inner.find(mark)?];
    let is_word = !inner.is_empty() && inner.trim() == inner && !inner.contains('\n');
    is_word.then_some((inner, inner.len() + 2 * mark.len()))
}

/// Whether a mark between two characters may begin or end an emphasis: `snake_case` has none.
pub(super) fn is_boundary(neighbour: Option<char>) -> bool {
    neighbour.is_none_or(|char| !char.is_alphanumeric())
}

/// A link in Markdown at the start of `rest`: `[text](url)`.
pub(super) fn markdown_link(rest: &str) -> Option<(Span, usize)> {
    let (text, after) = rest.strip_prefix('[')?.split_once("](")?;
    let url = &after[..after.find(')')?];
    let length = text.len() + url.len() + "[]()".len();
    let is_link = !text.contains(['\n', '[']) && page(url).is_some();
    is_link.then(|| (Span::link(text, url), length))
}

/// The text at a place of a message; empty for another value.
pub(super) fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

/// The list in a field of a message; empty for another value.
pub(super) fn list_in<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    let found = value.get(field).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_are_links() {
        let page = Span::link("a", "https://a.example/?x=1&y");
        let script = Span::link("a", "javascript:alert(1)");

        let url = "https://a.example/?x=1&y".to_owned();
        assert_eq!(
            page,
            Span::Link {
                text: "a".to_owned(),
                url
            }
        );
        assert_eq!(script, Span::Text("a".to_owned()));
    }

    #[test]
    fn letters_are_joined_and_a_long_text_is_cut() {
        let spans = read(&"é".repeat(MAX_CHARS + 5), |_, _| None);

        assert_eq!(spans, [Span::Text("é".repeat(MAX_CHARS))]);
    }

    #[test]
    fn marks_enclose_words_only() {
        assert_eq!(enclosed("*a b* c", "*"), Some(("a b", 5)));
        assert_eq!(enclosed("**a** c", "**"), Some(("a", 5)));
        assert_eq!(enclosed("* a*", "*"), None);
        assert_eq!(enclosed("**", "*"), None);
        assert_eq!(enclosed("*a", "*"), None);
    }
}
