//! Texts of doc comments as texts of a document.

use serde_json::Value;

use super::document::{operations, parts};

/// Makes one line of each paragraph of the descriptions: the lines of a doc comment end where the source
/// ends them, and a page breaks them there. Summaries lose their full stop, as headings have none.
///
/// The introduction is Markdown with tables and code, and stays as written.
pub(super) fn unfold(description: &mut Value) {
    unfold_part(&mut description["components"]);
    for (_, operation) in operations(description) {
        let heading = operation["summary"].as_str().map(heading);
        if let Some(heading) = heading {
            operation["summary"] = heading.into();
        }
        unfold_part(operation);
    }
}

fn unfold_part(part: &mut Value) {
    // A property may be named `description` as well: its schema is an object, no text.
    if let Some(Value::String(text)) = part.get_mut("description") {
        *text = one_line_each(text);
    }
    parts(part).for_each(unfold_part);
}

fn one_line_each(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|lines| lines.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn heading(sentence: &str) -> String {
    let line = sentence.replace('\n', " ");
    line.strip_suffix('.').unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_one_line_and_paragraphs_stay_apart() {
        assert_eq!(one_line_each("a\nb\n\nc\nd"), "a b\n\nc d");
    }

    #[test]
    fn a_heading_has_no_full_stop() {
        assert_eq!(heading("Lists\nwebhooks."), "Lists webhooks");
    }
}
