//! The body of a rejected message, any bytes, as text for the page.

use crate::json::pretty;
use webhook_admin::rejected_messages::readable;

/// The most bytes of a text on the page: as many as an event may have.
const SHOWN_TEXT: usize = 256 * 1_024;

/// The most bytes of a body in hex, which is shown when the body is no text.
const SHOWN_BYTES: usize = 4 * 1_024;

/// The bytes per line in hex.
const BYTES_PER_LINE: usize = 16;

/// The kind of a body, judged by the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyKind {
    Empty,
    Json,
    Text,
    Bytes,
}

/// A body as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ShownBody {
    pub(super) kind: BodyKind,
    pub(super) text: String,
    /// Whether the text is only the start of the body.
    pub(super) is_cut: bool,
}

impl ShownBody {
    /// The text for the kept bytes of a body.
    pub(super) fn of(body: &[u8], truncated: bool) -> Self {
        if body.is_empty() {
            return Self {
                kind: BodyKind::Empty,
                text: String::new(),
                is_cut: truncated,
            };
        }
        let Some(text) = readable(body, truncated) else {
            return Self {
                kind: BodyKind::Bytes,
                text: in_hex(&body[..body.len().min(SHOWN_BYTES)]),
                is_cut: truncated || body.len() > SHOWN_BYTES,
            };
        };
        let start = start(text);
        let lines = pretty(start);
        Self {
            kind: if lines.is_some() {
                BodyKind::Json
            } else {
                BodyKind::Text
            },
            text: lines.unwrap_or_else(|| visible(start)),
            is_cut: truncated || start.len() < text.len(),
        }
    }
}

/// The start of a text, at most [`SHOWN_TEXT`] bytes, cut between characters.
fn start(text: &str) -> &str {
    let mut ends = (0..=text.len().min(SHOWN_TEXT)).rev();
    let end = ends.find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// The text with Unicode's pictures in place of control characters, visible and without effect.
fn visible(text: &str) -> String {
    let picture = |c: char| match c {
        '\n' | '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(c),
        '\x7f' => '\u{2421}',
        _ => c,
    };
    text.chars().map(picture).collect()
}

/// `00000010  6e 6f 20 65 …  no e…`
fn in_hex(bytes: &[u8]) -> String {
    let lines = bytes
        .chunks(BYTES_PER_LINE)
        .enumerate()
        .map(|(number, line)| {
            let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let text: String = line.iter().map(|byte| printable(*byte)).collect();
            let width = BYTES_PER_LINE * 3 - 1;
            format!(
                "{:08x}  {:width$}  {text}",
                number * BYTES_PER_LINE,
                hex.join(" ")
            )
        });
    lines.collect::<Vec<_>>().join("\n")
}

fn printable(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' {
        char::from(byte)
    } else {
        '.'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_shown_as_what_it_is() {
        let kind = |body: &[u8]| ShownBody::of(body, false).kind;

        assert_eq!(kind(b""), BodyKind::Empty);
        assert_eq!(kind(br#"{"a":1}"#), BodyKind::Json);
        assert_eq!(kind(br#"{"a":1"#), BodyKind::Text);
        assert_eq!(kind(b"\xff{}"), BodyKind::Bytes);
    }

    #[test]
    fn what_is_no_text_is_shown_in_hex() {
        let shown = ShownBody::of(b"\x00\xff no text at all", false);

        assert_eq!(
            shown.text,
            "00000000  00 ff 20 6e 6f 20 74 65 78 74 20 61 74 20 61 6c  .. no text at al\n\
             00000010  6c                                               l"
        );
        assert!(!shown.is_cut);
        assert!(ShownBody::of(&[0xff; SHOWN_BYTES + 1], false).is_cut);
    }

    #[test]
    fn a_text_keeps_what_cannot_be_seen_and_is_cut_at_a_character() {
        assert_eq!(
            ShownBody::of(b"a\x00\x1b[31m\tb\n", false).text,
            "a␀␛[31m\tb\n"
        );

        let long = "é".repeat(SHOWN_TEXT);
        let shown = ShownBody::of(long.as_bytes(), false);
        assert_eq!((shown.text.len(), shown.is_cut), (SHOWN_TEXT, true));
        assert!(ShownBody::of(b"start", true).is_cut);
    }
}
