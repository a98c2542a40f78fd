//! JSON with line breaks, for people. Order of fields and spelling of numbers and texts stay as sent.

use serde::de::IgnoredAny;

/// Spaces of a level.
const INDENT: usize = 2;

/// The text with line breaks and indents. `None`: the text is no JSON, or is nested more than 128 levels deep.
pub(super) fn pretty(text: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut printer = Printer {
        shown: String::with_capacity(text.len()),
        level: 0,
    };
    let mut rest = text.trim();
    while let Some(char) = rest.chars().next() {
        let end = if char == '"' {
            end_of_text(rest)
        } else {
            char.len_utf8()
        };
        printer.push(&rest[..end], rest[end..].trim_start());
        rest = &rest[end..];
    }
    Some(printer.shown)
}

struct Printer {
    shown: String,
    level: usize,
}

impl Printer {
    /// Appends a text, or a character outside of texts; `rest` comes behind.
    fn push(&mut self, token: &str, rest: &str) {
        match token {
            "{" | "[" => {
                self.shown.push_str(token);
                self.level += 1;
                // An empty object stays on its line.
                if !rest.starts_with(['}', ']']) {
                    self.break_line();
                }
            }
            "}" | "]" => {
                self.level = self.level.saturating_sub(1);
                if !self.shown.ends_with(['{', '[']) {
                    self.break_line();
                }
                self.shown.push_str(token);
            }
            "," => {
                self.shown.push(',');
                self.break_line();
            }
            ":" => self.shown.push_str(": "),
            " " | "\n" | "\r" | "\t" => {}
            other => self.shown.push_str(other),
        }
    }

    fn break_line(&mut self) {
        self.shown.push('\n');
        self.shown
            .extend(std::iter::repeat_n(' ', self.level * INDENT));
    }
}

/// The end of the text with which `rest` begins, behind the closing quote.
fn end_of_text(rest: &str) -> usize {
    let mut escaped = true;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_get_lines_and_nothing_else_changes() {
        let sent = r#"{"b":1e400,"a":[ {}, [],"\"{,}\u00e9"],"big":9007199254740993 }"#;

        let shown = pretty(sent).expect("JSON");

        let expected = "{\n  \"b\": 1e400,\n  \"a\": [\n    {},\n    [],\n    \"\\\"{,}\\u00e9\"\n  ],\n  \"big\": 9007199254740993\n}";
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_no_json_or_too_deep_has_no_pretty_form() {
        assert_eq!(pretty("{"), None);
        assert_eq!(pretty("hello"), None);
        assert_eq!(pretty(&"[".repeat(5_000)), None);
    }
}
