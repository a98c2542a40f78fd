//! An event as a message with an adaptive card for a Teams workflow.
//!
//! Version 1.4 of cards: Teams shows no later version on all devices. Rules:
//! <https://adaptivecards.io/explorer/AdaptiveCard.html> and
//! <https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-format>.

use chrono::SecondsFormat;
use serde::Serialize;

use super::body::body;
use super::fields::moment;
use super::notice::{Fact, Link, Notice};
use super::plain_text::{escaped, mentions_channel, separated};
use crate::EventSeverity;

/// The most bytes of a message, as users of Teams report: 28 KB. The flow of a larger message fails unseen.
pub(crate) const MAX_MESSAGE_BYTES: usize = 28_000;
/// The most bytes of a message that [`teams_body`] makes: 24 KiB, as Teams adds fields of its own.
const MAX_OWN_BYTES: usize = 24 * 1_024;
/// The most characters of the sentence.
const MAX_SENTENCE_CHARS: usize = 1_500;
/// The most characters of a fact's name.
const MAX_NAME_CHARS: usize = 80;
/// The most characters of a fact's value.
const MAX_VALUE_CHARS: usize = 400;
/// The bytes of everything else: the frame, title and footer.
const FRAME_BYTES: usize = 1_500;
/// The most bytes that JSON needs for a UTF-16 unit without control characters.
const BYTES_PER_UNIT: usize = 3;

// Every message is within its limit by the limits of the parts.
const _: () = {
    let facts = Notice::MAX_FACTS * (MAX_NAME_CHARS + MAX_VALUE_CHARS);
    let texts = BYTES_PER_UNIT * (MAX_SENTENCE_CHARS + facts);
    // A quote or a backslash in an address needs two bytes.
    assert!(texts + 2 * Link::MAX_URL_BYTES + FRAME_BYTES <= MAX_OWN_BYTES);
};

#[derive(Serialize)]
struct Message<'a> {
    r#type: &'static str,
    attachments: [Attachment<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attachment<'a> {
    content_type: &'static str,
    content_url: Option<&'a str>,
    content: Card<'a>,
}

#[derive(Serialize)]
struct Card<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    r#type: &'static str,
    version: &'static str,
    msteams: Display,
    body: Vec<Element>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action<'a>>,
}

/// Teams' own settings of a card.
#[derive(Serialize)]
struct Display {
    width: &'static str,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Element {
    Container {
        style: &'static str,
        bleed: bool,
        items: [TextBlock; 1],
    },
    FactSet {
        facts: Vec<CardFact>,
    },
    #[serde(untagged)]
    Text(TextBlock),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
struct TextBlock {
    text: String,
    wrap: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_subtle: bool,
}

#[derive(Serialize)]
struct CardFact {
    title: String,
    value: String,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Action<'a> {
    #[serde(rename = "Action.OpenUrl")]
    OpenUrl { title: &'a str, url: &'a str },
}

/// The body for a Teams workflow: a card with a coloured title, the sentence, the facts, a line with time,
/// environment and type, and a button with the link. At most 24 KiB.
pub fn teams_body(notice: &Notice) -> Vec<u8> {
    body(&Message {
        r#type: "message",
        attachments: [Attachment {
            content_type: "application/vnd.microsoft.card.adaptive",
            content_url: None,
            content: Card {
                schema: "http://adaptivecards.io/schemas/adaptive-card.json",
                r#type: "AdaptiveCard",
                version: "1.4",
                msteams: Display { width: "Full" },
                body: elements(notice),
                actions: notice.link.iter().map(action).collect(),
            },
        }],
    })
}

fn action(link: &Link) -> Action<'_> {
    Action::OpenUrl {
        title: &link.text,
        url: &link.url,
    }
}

fn elements(notice: &Notice) -> Vec<Element> {
    let title = TextBlock {
        size: Some("Large"),
        weight: Some("Bolder"),
        ..text_block(notice.title.clone())
    };
    let sentence = text_block(escape(&notice.sentence, MAX_SENTENCE_CHARS));
    let footer = TextBlock {
        size: Some("Small"),
        is_subtle: true,
        ..text_block(footer(notice))
    };
    let style = style(notice.severity);
    let mut elements = vec![
        Element::Container {
            style,
            bleed: true,
            items: [title],
        },
        Element::Text(sentence),
    ];
    if !notice.facts.is_empty() {
        elements.push(Element::FactSet {
            facts: notice
                .facts
                .iter()
                .take(Notice::MAX_FACTS)
                .map(fact)
                .collect(),
        });
    }
    elements.push(Element::Text(footer));
    elements
}

fn text_block(text: String) -> TextBlock {
    TextBlock {
        text,
        wrap: true,
        size: None,
        weight: None,
        is_subtle: false,
    }
}

fn fact(fact: &Fact) -> CardFact {
    CardFact {
        title: escape(&fact.name, MAX_NAME_CHARS),
        value: escape(&fact.value, MAX_VALUE_CHARS),
    }
}

fn footer(notice: &Notice) -> String {
    let footer = notice.footer(0);
    match notice.local_time() {
        // Teams writes date and time in the reader's time zone, from a time without fractions only.
        Some(time) => {
            let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
            format!("{{{{DATE({time},SHORT)}}}} {{{{TIME({time})}}}} · {footer}")
        }
        None => format!("{} · {footer}", moment(notice.at)),
    }
}

fn style(severity: EventSeverity) -> &'static str {
    match severity {
        EventSeverity::Info => "emphasis",
        EventSeverity::Warning => "warning",
        EventSeverity::Critical => "attention",
    }
}

/// A text of a publisher. Cards have a subset of Markdown and no escape sequences that all devices know:
/// where characters together would act, a zero-width space separates the characters.
fn escape(text: &str, max: usize) -> String {
    escaped(&separated(text, acts), max, |char, out| out.push(char))
}

/// Whether the end of `before` and the start of `after` make a mention, a link, a tag or a macro.
fn acts(before: &str, after: &str) -> bool {
    let starts_tag = |char: char| char.is_ascii_alphabetic() || "/!?@#".contains(char);
    mentions_channel(before, after)
        || (before.ends_with('<') && after.starts_with(starts_tag))
        || (before.ends_with(']') && after.starts_with(['(', '[', ':']))
        || (before.ends_with('{') && after.starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::test_events::notice_before_1970;
    use rstest::rstest;

    #[rstest]
    #[case::mention("<at>Ann</at>", "<\u{200b}at>Ann<\u{200b}/at>")]
    #[case::everyone("@everyone", "@\u{200b}everyone")]
    #[case::link("[x](https://evil.example)", "[x]\u{200b}(https://evil.example)")]
    #[case::reference("[x][1] [1]: a", "[x]\u{200b}[1] [1]\u{200b}: a")]
    #[case::image("![x](y)", "![x]\u{200b}(y)")]
    #[case::autolink("<https://evil.example>", "<\u{200b}https://evil.example>")]
    #[case::macro_(
        "{{DATE(2026-11-23T08:15:30Z)}}",
        "{\u{200b}{DATE(2026-11-23T08:15:30Z)}}"
    )]
    #[case::plain("lic_42: 3 < 5 & (b) [c]", "lic_42: 3 < 5 & (b) [c]")]
    fn characters_that_act_together_are_taken_apart(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(escape(text, 100), expected);
    }

    #[test]
    fn a_time_before_1970_is_told_in_utc() {
        let footer = footer(&notice_before_1970());

        assert_eq!(
            footer,
            "1969-12-31 23:59 UTC · Production · license.activated"
        );
    }
}
