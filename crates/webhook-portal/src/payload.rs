//! Payloads formatted for reading, with ids as links.

use askama::filters::{Html, escape};
use webhook_domain::LinkPatterns;

/// JSON in the lines of [`pretty`](crate::json::pretty) as HTML. The value of a field with a pattern is a
/// link; all else is text.
pub(crate) fn with_links(lines: &str, patterns: &LinkPatterns) -> String {
    let mut html = String::with_capacity(lines.len() * 2);
    for line in lines.split_inclusive('\n') {
        match linked(line, patterns) {
            Some(linked) => html.push_str(&linked),
            None => html.push_str(&text(line)),
        }
    }
    html
}

/// A line `"license_id": "lic_42",` with its id as a link. `None`: the line is another one.
fn linked(line: &str, patterns: &LinkPatterns) -> Option<String> {
    let (key, rest) = line.split_once(": ")?;
    let field: String = serde_json::from_str(key.trim_start()).ok()?;
    let value = rest.trim_end().trim_end_matches(',');
    let parsed: serde_json::Value = serde_json::from_str(value).ok()?;
    // The text of a number stays as it was sent.
    let id = parsed
        .as_str()
        .or_else(|| parsed.is_number().then_some(value))?;
    let link = patterns.link(&field, id)?;
    let after = &rest[value.len()..];
    Some(format!(
        "{}: <a href=\"{}\" rel=\"noreferrer\">{}</a>{}",
        text(key),
        text(&link),
        text(value),
        text(after),
    ))
}

fn text(text: &str) -> String {
    escape(text, Html).map_or_else(|_| String::new(), |safe| safe.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns() -> LinkPatterns {
        let mut patterns = LinkPatterns::default();
        for field in ["license_id", "seat"] {
            let set = patterns.set(field, "https://a.example/{id}?x=1&y");
            set.expect("a pattern");
        }
        patterns
    }

    #[test]
    fn an_id_of_a_known_field_is_a_link_and_all_else_is_text() {
        let lines = "{\n  \"license_id\": \"lic_42\",\n  \"name\": \"<b>\",\n  \"seat\": 7\n}";

        let html = with_links(lines, &patterns());

        let quoted = text("\"lic_42\"");
        let link = format!(
            "<a href=\"https://a.example/lic_42?x=1&#38;y\" rel=\"noreferrer\">{quoted}</a>,\n"
        );
        assert!(html.contains(&link), "{html}");
        assert!(
            html.contains("/7?x=1&#38;y\" rel=\"noreferrer\">7</a>\n}"),
            "{html}"
        );
        assert!(
            html.contains(&text("\"<b>\"")) && !html.contains("<b>"),
            "{html}"
        );
    }

    #[test]
    fn only_texts_and_numbers_of_one_line_are_ids() {
        for lines in [
            "\"license_id\": null",
            "\"license_id\": {",
            "\"license_id\": [\"a\", \"b\"]",
            "license_id: lic_42",
            "\"note\": \"license_id: lic_42\"",
            "",
        ] {
            assert_eq!(with_links(lines, &patterns()), text(lines), "{lines}");
        }
    }

    #[test]
    fn nothing_in_an_id_leaves_its_attribute() {
        let lines = r#""license_id": "\"><script>alert(1)</script>""#;

        let html = with_links(lines, &patterns());

        assert!(
            !html.contains("<script") && !html.contains("\"><s"),
            "{html}"
        );
    }
}
