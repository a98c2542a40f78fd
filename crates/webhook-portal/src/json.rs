//! JSON formatted for reading. Only the space between tokens changes: the order of keys and the text of
//! numbers and strings stay as they were sent.

use serde_json::value::RawValue;

/// The deepest level of nesting with separate lines. Deeper values stay on one line, because the
/// indentation of thousands of levels would make megabytes of a small text.
const MAX_DEPTH: usize = 16;

/// Formats JSON in lines, with two spaces per level. `None`: the text is no JSON.
pub(crate) fn pretty(text: &str) -> Option<String> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    let mut lines = Lines {
        text: String::with_capacity(text.len() * 2),
        depth: 0,
    };
    let mut rest = raw.get();
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at(token_length(rest, first));
        lines.write(token);
        rest = after;
    }
    Some(lines.text)
}

/// The length in bytes of the token or space that `rest` begins with. The text is valid JSON, so every
/// string ends.
fn token_length(rest: &str, first: char) -> usize {
    match first {
        '"' => string_length(rest),
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        space if is_space(space) => rest.find(|c| !is_space(c)).unwrap_or(rest.len()),
        _ => {
            let ends = |c| is_space(c) || matches!(c, '}' | ']' | ',');
            rest.find(ends).unwrap_or(rest.len())
        }
    }
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (place, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The space of JSON (RFC 8259, section 2).
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    fn write(&mut self, token: &str) {
        match token {
            "}" | "]" => {
                self.depth -= 1;
                if !self.text.ends_with(['{', '[']) {
                    self.end_line(self.depth + 1);
                }
                self.text.push_str(token);
                return;
            }
            "," => {
                self.text.push(',');
                self.end_line(self.depth);
                return;
            }
            ":" => {
                self.text.push_str(": ");
                return;
            }
            space if space.starts_with(is_space) => return,
            _ => {}
        }
        if self.text.ends_with(['{', '[']) {
            self.end_line(self.depth);
        }
        self.text.push_str(token);
        if matches!(token, "{" | "[") {
            self.depth += 1;
        }
    }

    /// Begins a line in or after a value whose parts stand at `depth`.
    fn end_line(&mut self, depth: usize) {
        if depth > MAX_DEPTH {
            if self.text.ends_with(',') {
                self.text.push(' ');
            }
            return;
        }
        self.text.push('\n');
        self.text.push_str(&"  ".repeat(self.depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_set_in() {
        let text = r#"{"b":1,"a":[true,{"c":null}],"empty":{},"none":[ ]}"#;

        let lines = pretty(text).expect("JSON");

        let expected = r#"{
  "b": 1,
  "a": [
    true,
    {
      "c": null
    }
  ],
  "empty": {},
  "none": []
}"#;
        assert_eq!(lines, expected);
        assert_eq!(pretty(&lines), Some(lines.clone()));
    }

    #[test]
    fn numbers_and_strings_stay_as_they_were_sent() {
        for text in [
            "1e400",
            "-0.10",
            "123456789012345678901234567890",
            r#""{\"a\": [1,2]}\\""#,
            r#""\u00e9é 😀\n""#,
            r#""[""#,
            "null",
        ] {
            assert_eq!(pretty(text).as_deref(), Some(text));
            let within = format!("[{text}]");
            assert_eq!(pretty(&within), Some(format!("[\n  {text}\n]")));
        }
    }

    #[test]
    fn keys_keep_their_order_and_may_repeat() {
        let lines = pretty("\t{\"z\" :1,\r\n\"a\":2,\"z\":3 } ");

        let expected = "{\n  \"z\": 1,\n  \"a\": 2,\n  \"z\": 3\n}";
        assert_eq!(lines.as_deref(), Some(expected));
    }

    #[test]
    fn what_is_no_json_is_told() {
        for text in ["", "{", "{\"a\":1,}", "{} {}", "'a'", "NaN", "01", "\"\n\""] {
            assert_eq!(pretty(text), None, "{text:?}");
        }
    }

    #[test]
    fn however_deep_it_is_nested_its_text_does_not_explode() {
        let levels = 100_000;
        let text = format!("{}{}", "[".repeat(levels), "]".repeat(levels));

        let lines = pretty(&text).expect("JSON");

        assert!(lines.len() < text.len() + 1_024, "{}", lines.len());
        assert_eq!(lines.replace([' ', '\n'], ""), text);
        let deep = format!("{}1,2{}", "[".repeat(17), "]".repeat(17));
        let lines = pretty(&deep).expect("JSON");
        assert_eq!(
            lines.lines().nth(16),
            Some(&*format!("{}[1, 2]", "  ".repeat(16)))
        );
    }
}
