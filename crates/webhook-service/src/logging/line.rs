//! Text for a log line, without line breaks and bounded.

use std::fmt::Write;

use crate::printable::push_printable;

/// Most characters of a text in a log line. Our longest message quotes a rejection's reason of 2,000
/// characters; the rest of a longer text is cut off.
const MAX_CHARS: usize = 4_000;

/// Makes a text a single line of at most [`MAX_CHARS`] characters. Control characters, line breaks and
/// marks for the writing direction are escaped: a terminal would obey such characters.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_CHARS));
    let (end, _) = text
        .char_indices()
        .nth(MAX_CHARS)
        .unwrap_or((text.len(), ' '));
    push_printable(&text[..end], &mut line);
    let left_out = text[end..].chars().count();
    if left_out > 0 {
        // Writing to a string cannot fail.
        let _ = write!(line, "… and {left_out} characters more");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let hostile = "a\u{1b}[2J\u{1b}[1;31m\r\nFAKE\t\0\u{9b}\u{202e}é";

        let line = one_line(hostile);

        assert_eq!(
            line,
            "a\\u{1b}[2J\\u{1b}[1;31m\\r\\nFAKE\\t\\u{0}\\u{9b}\\u{202e}é"
        );
    }

    #[test]
    fn a_long_text_is_cut_and_says_by_how_much() {
        let line = one_line(&"é".repeat(10_000));

        assert!(line.ends_with("é… and 6000 characters more"));
        assert!(line.len() < 10_000);
    }
}
