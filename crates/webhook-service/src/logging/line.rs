//! Text for a log line, without line breaks and bounded.

use std::fmt::Write;

/// Most characters of a text in a log line. Our longest message quotes a rejection's reason of 2,000
/// characters; the rest of a longer text is cut off.
const MAX_CHARS: usize = 4_000;

/// Makes a text a single line of at most [`MAX_CHARS`] characters. Control characters, line breaks and
/// marks for the writing direction are escaped: a terminal would obey such characters.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_CHARS));
    let mut chars = text.chars();
    for char in chars.by_ref().take(MAX_CHARS) {
        if is_obeyed(char) {
            line.extend(char.escape_default());
        } else {
            line.push(char);
        }
    }
    let left_out = chars.count();
    if left_out > 0 {
        // Writing to a string cannot fail.
        let _ = write!(line, "… and {left_out} characters more");
    }
    line
}

/// Whether a terminal or a viewer of logs obeys the character instead of showing a glyph.
fn is_obeyed(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
