//! Text for a POSIX shell.

/// A text in single quotes: a POSIX shell expands no part of the text (POSIX.1-2024, 2.2.2).
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
