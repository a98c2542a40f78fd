//! Text of strangers for a terminal or a log.

/// The text with every character escaped that a terminal obeys: control characters, line breaks, and marks for
/// the writing direction.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    push_printable(text, &mut shown);
    shown
}

/// Appends the text as [`printable`] shows the text.
pub fn push_printable(text: &str, shown: &mut String) {
    for char in text.chars() {
        if is_obeyed(char) {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
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
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(
            printable("a\u{1b}[31mb\n\u{9b}2J\u{202e}é"),
            "a\\u{1b}[31mb\\n\\u{9b}2J\\u{202e}é"
        );
    }
}
