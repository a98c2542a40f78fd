//! How much of a service's limits a body uses, for the preview of a format or a template.

use serde_json::Value;

use super::format::Format;
use super::plain_text::length;
use super::template::Template;
use super::{discord, slack, teams};

/// The use of one limit, read as "412 of 3,000 characters of a section's text".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitUse {
    /// The unit and the place: `characters of a section's text`.
    pub what: &'static str,
    /// The use by this body: of several places of a kind, the place that uses most.
    pub used: usize,
    /// The limit of the service. A service refuses a body that uses more.
    pub max: usize,
}

impl LimitUse {
    fn new(what: &'static str, used: usize, max: usize) -> Self {
        Self { what, used, max }
    }

    /// Whether the service refuses the body.
    pub fn is_exceeded(&self) -> bool {
        self.used > self.max
    }
}

/// The limits of the service behind `format` that a body uses. Empty: the service has no limits for a part
/// of the body, or the body is not JSON.
///
/// For a body of a template, `format` is the format that the webhook's URL proposes.
pub fn limits_used(format: Format, body: &[u8]) -> Vec<LimitUse> {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let limits = match format {
        Format::Slack => slack_limits(&message),
        Format::Discord => discord_limits(&message),
        Format::Teams => {
            vec![LimitUse::new(
                "bytes of the message",
                body.len(),
                teams::MAX_MESSAGE_BYTES,
            )]
        }
        Format::Custom => {
            vec![LimitUse::new(
                "bytes of the body",
                body.len(),
                Template::MAX_RESULT_BYTES,
            )]
        }
        Format::Json | Format::CloudEvents => Vec::new(),
    };
    limits.into_iter().filter(|limit| limit.used > 0).collect()
}

fn slack_limits(message: &Value) -> Vec<LimitUse> {
    use slack::*;
    let blocks = list(message, "blocks");
    let of_type = |name| blocks.iter().filter(move |block| block["type"] == name);
    let header = longest(of_type("header"), "/text/text");
    let section = longest(of_type("section"), "/text/text");
    let fields = of_type("section").map(|block| list(block, "fields").len());
    let field = longest(
        of_type("section").flat_map(|block| list(block, "fields")),
        "/text",
    );
    vec![
        LimitUse::new(
            "characters of the text",
            longest([message], "/text"),
            MAX_TEXT_CHARS,
        ),
        LimitUse::new("blocks", blocks.len(), MAX_BLOCKS),
        LimitUse::new("characters of a header", header, MAX_HEADER_CHARS),
        LimitUse::new("characters of a section's text", section, MAX_SECTION_CHARS),
        LimitUse::new("fields of a section", fields.max().unwrap_or(0), MAX_FIELDS),
        LimitUse::new("characters of a field", field, MAX_FIELD_CHARS),
    ]
}

fn discord_limits(message: &Value) -> Vec<LimitUse> {
    use discord::*;
    let embeds = list(message, "embeds");
    let fields = || embeds.iter().flat_map(|embed| list(embed, "fields"));
    let most_fields = embeds.iter().map(|embed| list(embed, "fields").len()).max();
    let together = embeds.iter().map(embed_length).sum();
    let content = longest([message], "/content");
    let title = longest(embeds, "/title");
    let description = longest(embeds, "/description");
    vec![
        LimitUse::new("characters of the content", content, MAX_CONTENT_CHARS),
        LimitUse::new("embeds", embeds.len(), MAX_EMBEDS),
        LimitUse::new(
            "characters of all embeds together",
            together,
            MAX_EMBEDS_CHARS,
        ),
        LimitUse::new("characters of a title", title, MAX_TITLE_CHARS),
        LimitUse::new(
            "characters of a description",
            description,
            MAX_DESCRIPTION_CHARS,
        ),
        LimitUse::new("fields of an embed", most_fields.unwrap_or(0), MAX_FIELDS),
        LimitUse::new(
            "characters of a field's name",
            longest(fields(), "/name"),
            MAX_NAME_CHARS,
        ),
        LimitUse::new(
            "characters of a field's value",
            longest(fields(), "/value"),
            MAX_VALUE_CHARS,
        ),
    ]
}

/// The characters of an embed that count for the sum of all embeds.
fn embed_length(embed: &Value) -> usize {
    let places = ["/title", "/description", "/footer/text", "/author/name"];
    let own: usize = places.iter().map(|place| text_length(embed, place)).sum();
    let fields = list(embed, "fields").iter();
    own + fields
        .map(|f| text_length(f, "/name") + text_length(f, "/value"))
        .sum::<usize>()
}

fn longest<'a>(values: impl IntoIterator<Item = &'a Value>, pointer: &str) -> usize {
    values
        .into_iter()
        .map(|value| text_length(value, pointer))
        .max()
        .unwrap_or(0)
}

fn text_length(value: &Value, pointer: &str) -> usize {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map_or(0, length)
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(format: Format, body: &str) -> Vec<(&'static str, usize)> {
        let limits = limits_used(format, body.as_bytes());
        limits
            .into_iter()
            .map(|limit| (limit.what, limit.used))
            .collect()
    }

    #[test]
    fn a_slack_message_uses_the_limits_of_its_blocks() {
        let body = r#"{"text":"abc","blocks":[{"type":"header","text":{"text":"Title"}},
            {"type":"section","text":{"text":"a longer text"}},{"type":"section","text":{"text":"😀"}},
            {"type":"section","fields":[{"text":"a"},{"text":"abcd"}]}]}"#;

        let used = used(Format::Slack, body);

        assert_eq!(
            used,
            [
                ("characters of the text", 3),
                ("blocks", 4),
                ("characters of a header", 5),
                ("characters of a section's text", 13),
                ("fields of a section", 2),
                ("characters of a field", 4),
            ]
        );
    }

    #[test]
    fn a_discord_message_uses_the_limits_of_its_embeds() {
        let body = r#"{"content":"hi","embeds":[{"title":"Title","description":"abc",
            "fields":[{"name":"ab","value":"c"}],"footer":{"text":"four"}},{"title":"T"}]}"#;

        let used = used(Format::Discord, body);

        assert_eq!(
            used[..3],
            [
                ("characters of the content", 2),
                ("embeds", 2),
                ("characters of all embeds together", 16),
            ]
        );
        assert_eq!(
            used[5..],
            [
                ("fields of an embed", 1),
                ("characters of a field's name", 2),
                ("characters of a field's value", 1),
            ]
        );
    }

    #[test]
    fn a_teams_message_uses_bytes_and_a_long_one_exceeds_them() {
        let body = format!("\"{}\"", "é".repeat(14_000));

        let limits = limits_used(Format::Teams, body.as_bytes());

        assert_eq!((limits[0].used, limits[0].max), (28_002, 28_000));
        assert!(limits[0].is_exceeded());
    }

    #[test]
    fn a_body_of_another_shape_uses_no_limits() {
        for body in [
            "",
            "[]",
            "{\"blocks\":{\"a\":1},\"text\":5}",
            "{\"embeds\":[[],1]}",
        ] {
            assert_eq!(used(Format::Slack, body), [], "{body}");
            assert_eq!(used(Format::Json, body), [], "{body}");
        }
        assert_eq!(
            used(Format::Discord, "{\"embeds\":[[],1]}"),
            [("embeds", 2)]
        );
    }
}
