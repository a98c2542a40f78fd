//! An event as a message for a Slack incoming webhook.
//!
//! The severity is an emoji in the title: Slack calls coloured attachments legacy, and phones show the emoji
//! in the notification too. Everyday events have no emoji, so that a red one stands out.
//!
//! Rules: <https://docs.slack.dev/reference/block-kit/blocks> and
//! <https://docs.slack.dev/messaging/formatting-message-text>.

use serde::Serialize;

use super::body::body;
use super::fields::moment;
use super::notice::{Fact, Link, Notice};
use super::plain_text::{escaped, length, without_mentions};
use crate::EventSeverity;

/// The most characters of a header.
pub(crate) const MAX_HEADER_CHARS: usize = 150;
/// The most characters of a section's text.
pub(crate) const MAX_SECTION_CHARS: usize = 3_000;
/// The most fields of a section.
pub(crate) const MAX_FIELDS: usize = 10;
/// The most characters of a field, name included.
pub(crate) const MAX_FIELD_CHARS: usize = 2_000;
/// The most blocks of a message.
pub(crate) const MAX_BLOCKS: usize = 50;
/// The most characters of the text that phones show. Slack recommends at most 4,000.
pub(crate) const MAX_TEXT_CHARS: usize = 4_000;

#[derive(Serialize)]
struct Message {
    text: String,
    blocks: Vec<Block>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Header {
        text: Text,
    },
    Section {
        text: Text,
    },
    #[serde(rename = "section")]
    Fields {
        fields: Vec<Text>,
    },
    Context {
        elements: Vec<Text>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Text {
    PlainText { text: String },
    Mrkdwn { text: String, verbatim: bool },
}

impl Text {
    /// A text with our own markup. `verbatim` keeps Slack from making links and mentions out of words.
    fn marked(text: String) -> Self {
        Self::Mrkdwn {
            text,
            verbatim: true,
        }
    }
}

/// The body for a Slack incoming webhook: a header, the sentence, the facts, the link, and a line with time,
/// environment and type.
pub fn slack_body(notice: &Notice) -> Vec<u8> {
    let title = format!("{}{}", emoji(notice.severity), notice.title);
    let text = escape(&format!("{title}: {}", notice.sentence), MAX_TEXT_CHARS);
    // The title has no text of a publisher, and no character that Slack reads as markup.
    let header = escaped(&title, MAX_HEADER_CHARS, |char, out| out.push(char));
    let mut blocks = vec![
        Block::Header {
            text: Text::PlainText { text: header },
        },
        Block::Section {
            text: Text::marked(escape(&notice.sentence, MAX_SECTION_CHARS)),
        },
    ];
    let fields: Vec<Text> = notice.facts.iter().take(MAX_FIELDS).map(field).collect();
    // Slack refuses a section with an empty list of fields.
    if !fields.is_empty() {
        blocks.push(Block::Fields { fields });
    }
    blocks.extend(notice.link.as_ref().and_then(link));
    blocks.push(Block::Context {
        elements: vec![Text::marked(context(notice))],
    });
    body(&Message { text, blocks })
}

fn field(fact: &Fact) -> Text {
    let name = escape(&fact.name, MAX_FIELD_CHARS / 2);
    let start = format!("*{name}*\n");
    let value = escape(&fact.value, MAX_FIELD_CHARS - length(&start));
    Text::marked(start + &value)
}

/// The link. `None`: escaped, the address does not fit.
fn link(link: &Link) -> Option<Block> {
    let mut url = String::with_capacity(link.url.len());
    for char in link.url.chars() {
        match char {
            // These characters would end the address.
            '<' => url.push_str("%3C"),
            '>' => url.push_str("%3E"),
            '|' => url.push_str("%7C"),
            other => escape_char(other, &mut url),
        }
    }
    let text = format!("<{url}|{}>", link.text);
    (length(&text) <= MAX_SECTION_CHARS).then(|| Block::Section {
        text: Text::marked(text),
    })
}

fn context(notice: &Notice) -> String {
    let moment = moment(notice.at);
    let footer = notice.footer(0);
    match notice.local_time() {
        // Slack writes the time in the reader's time zone, and old clients the text behind the bar.
        Some(time) => {
            let seconds = time.timestamp();
            format!("<!date^{seconds}^{{date_short_pretty}} {{time}}|{moment}> · {footer}")
        }
        None => format!("{moment} · {footer}"),
    }
}

fn emoji(severity: EventSeverity) -> &'static str {
    match severity {
        EventSeverity::Info => "",
        EventSeverity::Warning => "🟠 ",
        EventSeverity::Critical => "🔴 ",
    }
}

/// A text of a publisher. Links and mentions of Slack need `<`, which is escaped; `@here` in plain letters is
/// taken apart as well, for a workspace that parses names.
fn escape(text: &str, max: usize) -> String {
    escaped(&without_mentions(text), max, escape_char)
}

fn escape_char(char: char, out: &mut String) {
    match char {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::formats::test_events::{event, message, notice_before_1970};
    use crate::{Environment, EventType, LinkPatterns};

    fn notice(reason: &str) -> Notice {
        let data = format!(r#"{{"license_id":"lic_42","reason":"{reason}"}}"#);
        let event = event(EventType::LicenseRevoked, Environment::Production, &data);
        Notice::of(&event, &LinkPatterns::default(), None)
    }

    #[test]
    fn control_characters_of_slack_are_escaped_everywhere() {
        let message = message(&slack_body(&notice("<!channel> & <@U1>")));

        let escaped = "&lt;!channel&gt; &amp; &lt;@U1&gt;";
        let sentence = format!("License lic_42 was revoked: {escaped}.");
        assert_eq!(message["text"], format!("🔴 License revoked: {sentence}"));
        assert_eq!(message["blocks"][1]["text"]["text"], sentence);
        let fields = &message["blocks"][2]["fields"];
        assert_eq!(fields[1]["text"], format!("*Reason*\n{escaped}"));
    }

    #[test]
    fn a_cut_value_ends_with_a_whole_entity() {
        let fact = Fact {
            name: "&".repeat(60),
            value: "&".repeat(1_000),
        };

        let Text::Mrkdwn { text, .. } = field(&fact) else {
            panic!("a field has markup");
        };

        assert!(length(&text) <= MAX_FIELD_CHARS);
        assert!(length(&text) > MAX_FIELD_CHARS - "&amp;…".len());
        assert!(text.ends_with("&amp;…"), "{text}");
    }

    #[test]
    fn an_address_cannot_end_the_link() {
        let escaped = link(&Link {
            text: "Open license".to_owned(),
            url: "https://a.example/?a=<1>|2&b=3".to_owned(),
        });

        let Some(Block::Section {
            text: Text::Mrkdwn { text, .. },
        }) = escaped
        else {
            panic!("a link is a section");
        };
        assert_eq!(
            text,
            "<https://a.example/?a=%3C1%3E%7C2&amp;b=3|Open license>"
        );
    }

    #[test]
    fn an_address_that_is_too_long_when_escaped_is_left_out() {
        let url = format!("https://a.example/?{}", "&".repeat(1_000));

        let escaped = link(&Link {
            text: "Open license".to_owned(),
            url,
        });

        assert!(escaped.is_none());
    }

    #[test]
    fn an_event_without_facts_and_link_has_neither_block() {
        let event = event(EventType::LicenseRevoked, Environment::Production, "{}");

        let message = message(&slack_body(&Notice::of(
            &event,
            &LinkPatterns::default(),
            None,
        )));

        let types: Vec<_> = (0..4)
            .map(|n| message["blocks"][n]["type"].clone())
            .collect();
        assert_eq!(
            types,
            [
                "header".into(),
                "section".into(),
                "context".into(),
                Value::Null
            ]
        );
    }

    #[test]
    fn a_time_before_1970_is_told_in_utc() {
        let context = context(&notice_before_1970());

        assert_eq!(
            context,
            "1969-12-31 23:59 UTC · Production · license.activated"
        );
    }
}
