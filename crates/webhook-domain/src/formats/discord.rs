//! An event as a message for a Discord webhook: one embed.
//!
//! Rules: <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>.

use chrono::SecondsFormat;
use serde::Serialize;

use super::body::body;
use super::fields::moment;
use super::notice::{Fact, Notice};
use super::plain_text::{escaped, length, without_mentions};
use crate::EventSeverity;

/// The most characters of a message's content, beside embeds.
pub(crate) const MAX_CONTENT_CHARS: usize = 2_000;
/// The most embeds of a message.
pub(crate) const MAX_EMBEDS: usize = 10;
/// The most characters of all embeds together: titles, descriptions, fields and footers.
pub(crate) const MAX_EMBEDS_CHARS: usize = 6_000;
/// The most characters of an embed's title.
pub(crate) const MAX_TITLE_CHARS: usize = 256;
/// The most characters of an embed's description.
pub(crate) const MAX_DESCRIPTION_CHARS: usize = 4_096;
/// The most fields of an embed.
pub(crate) const MAX_FIELDS: usize = 25;
/// The most characters of a field's name.
pub(crate) const MAX_NAME_CHARS: usize = 256;
/// The most characters of a field's value.
pub(crate) const MAX_VALUE_CHARS: usize = 1_024;
/// The room kept for the footer, whose text has no value of a publisher.
const FOOTER_CHARS: usize = 128;
/// The most characters of a value that stands beside other values in a row.
const MAX_INLINE_CHARS: usize = 40;

#[derive(Serialize)]
struct Message<'a> {
    embeds: [Embed<'a>; 1],
    allowed_mentions: AllowedMentions,
}

/// The list of mentions that notify people. The list is empty: a message notifies no person and no role.
#[derive(Serialize)]
struct AllowedMentions {
    parse: [&'static str; 0],
}

#[derive(Serialize)]
struct Embed<'a> {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    description: String,
    color: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
    footer: Footer,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
}

#[derive(Serialize)]
struct Field {
    name: String,
    value: String,
    inline: bool,
}

#[derive(Serialize)]
struct Footer {
    text: String,
}

/// The body for a Discord webhook: an embed whose title is the link, with the sentence, the facts, and a
/// footer with environment, type and time.
pub fn discord_body(notice: &Notice) -> Vec<u8> {
    // The title has no text of a publisher: the brackets of an environment are no markup without a link.
    let title = escaped(&notice.title, MAX_TITLE_CHARS, |char, out| out.push(char));
    let description = escape(&notice.sentence, MAX_DESCRIPTION_CHARS);
    let room = MAX_EMBEDS_CHARS - FOOTER_CHARS - length(&title) - length(&description);
    let fields = fields(&notice.facts, room);
    let footer = footer(notice, notice.facts.len() - fields.len());
    let time = notice.local_time();
    body(&Message {
        embeds: [Embed {
            title,
            url: notice.link.as_ref().map(|link| link.url.as_str()),
            description,
            color: colour(notice.severity),
            fields,
            footer: Footer { text: footer },
            timestamp: time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)),
        }],
        allowed_mentions: AllowedMentions { parse: [] },
    })
}

/// The first fields that have room together.
fn fields(facts: &[Fact], room: usize) -> Vec<Field> {
    let mut left = room;
    let fields = facts.iter().take(MAX_FIELDS).map(field);
    fields
        .take_while(|field| {
            let used = length(&field.name) + length(&field.value);
            let fits = used <= left;
            left = left.saturating_sub(used);
            fits
        })
        .collect()
}

fn field(fact: &Fact) -> Field {
    Field {
        name: escape(&fact.name, MAX_NAME_CHARS),
        value: escape(&fact.value, MAX_VALUE_CHARS),
        inline: length(&fact.value) <= MAX_INLINE_CHARS,
    }
}

/// The footer, in which Discord reads no markup. Discord adds the time in the reader's time zone.
fn footer(notice: &Notice, dropped: usize) -> String {
    let footer = notice.footer(dropped);
    match notice.local_time() {
        Some(_) => footer,
        None => format!("{footer} · {}", moment(notice.at)),
    }
}

fn colour(severity: EventSeverity) -> u32 {
    match severity {
        EventSeverity::Info => 0x2F_6F_DB,
        EventSeverity::Warning => 0xF0_9A_1A,
        EventSeverity::Critical => 0xD9_2D_20,
    }
}

/// A text of a publisher, as Discord shows the text without markup, mentions and links.
fn escape(text: &str, max: usize) -> String {
    let mut before = None;
    escaped(&without_mentions(text), max, |char, out| {
        let acts = match before {
            None => starts_block(char),
            // Discord makes a link of `https://` wherever a text has one.
            Some(before) => before == ':' && char == '/',
        };
        if acts || is_markup(char) {
            out.push('\\');
        }
        out.push(char);
        before = Some(char);
    })
}

fn is_markup(char: char) -> bool {
    matches!(
        char,
        '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '[' | ']'
    )
}

/// Whether a character at the start of a line makes a heading, a quote or a list.
fn starts_block(char: char) -> bool {
    matches!(char, '#' | '>' | '-' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::test_events::{event, message, notice_before_1970};
    use crate::{Environment, EventType, LinkPatterns};
    use rstest::rstest;

    #[rstest]
    #[case::user("<@123> <@&1> <#2>", r"\<@123\> \<@&1\> \<#2\>")]
    #[case::everyone("@everyone", "@\u{200b}everyone")]
    #[case::time("<t:1:R>", r"\<t:1:R\>")]
    #[case::link("[x](https://evil.example)", r"\[x\](https:\//evil.example)")]
    #[case::bold("**b** _i_ ~~s~~", r"\*\*b\*\* \_i\_ \~\~s\~\~")]
    #[case::code("`a` ||b||", r"\`a\` \|\|b\|\|")]
    #[case::backslash(r"C:\a", r"C:\\a")]
    #[case::heading("# a # b", r"\# a # b")]
    #[case::list("- a - b", r"\- a - b")]
    #[case::quote("> a", r"\> a")]
    #[case::plain("build-server-1, 5 (five)", "build-server-1, 5 (five)")]
    fn markup_of_a_value_shows_as_text(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(escape(text, 100), expected);
    }

    #[test]
    fn a_cut_never_leaves_half_an_escape_sequence() {
        assert_eq!(escape("____", 8), r"\_\_\_\_");
        assert_eq!(escape("_____", 8), r"\_\_\_…");
        assert_eq!(escape("_____", 7), r"\_\_\_…");
    }

    #[test]
    fn facts_without_room_are_dropped_and_counted() {
        let event = event(EventType::LicenseUpdated, Environment::Production, "{}");
        let mut notice = Notice::of(&event, &LinkPatterns::default(), None);
        let fact = Fact {
            name: "_".repeat(60),
            value: "_".repeat(300),
        };
        notice.facts = vec![fact; 10];

        let message = message(&discord_body(&notice));

        let embed = &message["embeds"][0];
        assert_eq!(embed["fields"].as_array().map(Vec::len), Some(8));
        assert_eq!(
            embed["footer"]["text"],
            "Production · license.updated · 2 more fields"
        );
    }

    #[test]
    fn a_long_value_stands_in_a_row_of_its_own() {
        let (name, short) = ("Device".to_owned(), "build-server-1".to_owned());
        let long = "x".repeat(MAX_INLINE_CHARS + 1);

        let beside = field(&Fact {
            name: name.clone(),
            value: short,
        });
        let alone = field(&Fact { name, value: long });

        assert!(beside.inline);
        assert!(!alone.inline);
    }

    #[test]
    fn a_time_before_1970_is_told_in_the_footer() {
        let message = message(&discord_body(&notice_before_1970()));

        let embed = &message["embeds"][0];
        let footer = "Production · license.activated · 1969-12-31 23:59 UTC";
        assert_eq!(embed["footer"]["text"], footer);
        assert_eq!(embed.get("timestamp"), None);
    }
}
