//! A Discord message as Discord draws content and embeds.
//!
//! The markup is Discord's Markdown, with backslashes as escape sequences.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::spans::{
    Mark, Span, enclosed, is_boundary, list_in, markdown_link, page, read, text_at,
};

/// The colour of an embed without one, as six digits.
const NO_COLOUR: u32 = 0x4E_50_58;

/// A Discord message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DiscordMessage {
    pub(crate) content: Vec<Span>,
    pub(crate) embeds: Vec<Embed>,
}

/// A box of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Embed {
    /// The colour of the bar, for an SVG: `#D92D20`.
    pub(crate) colour: String,
    pub(crate) title: String,
    /// The page that the title links to.
    pub(crate) url: Option<String>,
    pub(crate) description: Vec<Span>,
    pub(crate) fields: Vec<Field>,
    pub(crate) footer: String,
    /// The time behind the footer.
    pub(crate) at: Option<DateTime<Utc>>,
}

/// A field of an embed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: Vec<Span>,
    pub(crate) value: Vec<Span>,
    /// Whether other fields may stand beside the field.
    pub(crate) inline: bool,
}

impl DiscordMessage {
    /// Reads a body. `None`: Discord would find nothing to show.
    pub(super) fn of(message: &Value) -> Option<Self> {
        let embeds: Vec<Embed> = list_in(message, "embeds").iter().map(embed).collect();
        let content = spans(text_at(message, "/content"));
        let is_empty = content.is_empty() && embeds.is_empty();
        (!is_empty).then_some(Self { content, embeds })
    }
}

fn embed(embed: &Value) -> Embed {
    let colour = embed.get("color").and_then(Value::as_u64);
    let colour = colour.and_then(|colour| u32::try_from(colour).ok());
    let colour = colour.filter(|colour| *colour <= 0xFF_FF_FF);
    let at = DateTime::parse_from_rfc3339(text_at(embed, "/timestamp"));
    Embed {
        colour: format!("#{:06X}", colour.unwrap_or(NO_COLOUR)),
        title: plain(text_at(embed, "/title")),
        url: page(text_at(embed, "/url")),
        description: spans(text_at(embed, "/description")),
        fields: list_in(embed, "fields").iter().map(field).collect(),
        footer: text_at(embed, "/footer/text").to_owned(),
        at: at.ok().map(|at| at.to_utc()),
    }
}

fn field(field: &Value) -> Field {
    Field {
        name: spans(text_at(field, "/name")),
        value: spans(text_at(field, "/value")),
        inline: field.get("inline").and_then(Value::as_bool) == Some(true),
    }
}

fn spans(text: &str) -> Vec<Span> {
    read(text, |before, rest| {
        escape(rest)
            .or_else(|| markdown_link(rest))
            .or_else(|| bare_link(rest))
            .or_else(|| emphasis(before, rest))
    })
}

/// A character after a backslash, which is no markup.
fn escape(rest: &str) -> Option<(Span, usize)> {
    let char = rest.strip_prefix('\\')?.chars().next()?;
    char.is_ascii_punctuation()
        .then(|| (Span::Text(char.to_string()), 1 + char.len_utf8()))
}

/// An address in the text, up to a space.
fn bare_link(rest: &str) -> Option<(Span, usize)> {
    if !rest.starts_with("https://") && !rest.starts_with("http://") {
        return None;
    }
    let end = rest.find(|char: char| char.is_whitespace() || matches!(char, '<' | '>' | ')'));
    let url = &rest[..end.unwrap_or(rest.len())];
    page(url).map(|_| (Span::link(url, url), url.len()))
}

fn emphasis(before: Option<char>, rest: &str) -> Option<(Span, usize)> {
    // The longer mark before its beginning.
    const MARKS: [Mark; 5] = [
        ("**", Span::Bold),
        ("~~", Span::Struck),
        ("*", Span::Italic),
        ("_", Span::Italic),
        ("`", Span::Code),
    ];
    let (mark, kind) = MARKS.iter().find(|(mark, _)| rest.starts_with(mark))?;
    let (inner, length) = enclosed(rest, mark)?;
    // Underscores within a word are letters.
    let stands_alone = is_boundary(before) && is_boundary(rest[length..].chars().next());
    (*mark != "_" || stands_alone).then(|| (kind(plain(inner)), length))
}

/// A text without escape sequences.
fn plain(text: &str) -> String {
    let spans = read(text, |_, rest| escape(rest));
    let texts = spans.into_iter().filter_map(|span| match span {
        Span::Text(text) => Some(text),
        Span::Bold(_)
        | Span::Italic(_)
        | Span::Struck(_)
        | Span::Code(_)
        | Span::Link { .. }
        | Span::Time(_) => None,
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(text: &str) -> Span {
        Span::Text(text.to_owned())
    }

    #[test]
    fn markup_is_read_as_discord_reads_it() {
        let link = |text: &str| Span::link(text, "https://a.example/");
        for (markup, expected) in [
            (r"lic\_42 \*\*b\*\* a_b_c", vec![text("lic_42 **b** a_b_c")]),
            (
                "**b** *i*",
                vec![
                    Span::Bold("b".to_owned()),
                    text(" "),
                    Span::Italic("i".to_owned()),
                ],
            ),
            ("~~s~~", vec![Span::Struck("s".to_owned())]),
            ("[x](https://a.example/)", vec![link("x")]),
            ("[x](javascript:a)", vec![text("[x](javascript:a)")]),
            (r"https:\//a.example", vec![text("https://a.example")]),
            (
                "see https://a.example/ now",
                vec![text("see "), link("https://a.example/"), text(" now")],
            ),
        ] {
            assert_eq!(spans(markup), expected, "{markup}");
        }
    }

    #[test]
    fn an_embed_has_a_colour_of_six_digits() {
        let colour = |color: Value| embed(&json!({"color": color})).colour;

        assert_eq!(colour(json!(14_232_864)), "#D92D20");
        assert_eq!(colour(json!(255)), "#0000FF");
        for none in [json!(-1), json!(1_u64 << 40), json!("red"), Value::Null] {
            assert_eq!(colour(none), "#4E5058");
        }
    }

    #[test]
    fn a_body_without_content_and_embeds_is_no_message() {
        for other in [json!({}), json!([]), json!({"embeds": [], "content": ""})] {
            assert_eq!(DiscordMessage::of(&other), None, "{other}");
        }
        assert!(DiscordMessage::of(&json!({"content": "a"})).is_some());
    }
}
