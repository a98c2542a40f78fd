//! Text that stays within its log line.

use std::fmt::Write;

/// The most characters of a message: the longest of ours quotes a rejection's reason of 2,000.
const MAX_CHARS: usize = 4_000;

/// Makes a text one line of at most 4,000 characters: control characters, line breaks and marks
/// that turn the writing direction are escaped, as a terminal would obey them.
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

/// Whether a terminal or a viewer of logs does something else than to show the character.
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
