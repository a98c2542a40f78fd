//! A message with an adaptive card as Teams draws the card.
//!
//! Cards have a subset of Markdown, and macros for times: <https://adaptivecards.io/explorer/TextBlock.html>.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::spans::{
    Mark, Span, enclosed, is_boundary, list_in, markdown_link, page, read, text_at,
};

/// The characters of a zero-width space, which takes characters apart that would act together.
const ZERO_WIDTH: char = '\u{200b}';

/// An adaptive card.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TeamsCard {
    pub(crate) elements: Vec<Element>,
    pub(crate) actions: Vec<Action>,
}

/// An element of a card.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Text(TextBlock),
    /// Elements on a ground of their own.
    Container {
        style: Style,
        items: Vec<Element>,
    },
    Facts(Vec<(Vec<Span>, Vec<Span>)>),
    /// An element of a kind that is not drawn, by the name of the kind.
    Other(String),
}

/// A text of a card.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TextBlock {
    pub(crate) text: Vec<Span>,
    /// The names of its look in our style sheet, separated by spaces.
    pub(crate) look: String,
}

/// The ground of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Default,
    Emphasis,
    Good,
    Attention,
    Warning,
    Accent,
}

/// A button of a card.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) title: String,
    /// The page that the button opens. `None`: the button does something else.
    pub(crate) url: Option<String>,
}

impl Style {
    fn of(name: &str) -> Self {
        match name {
            "emphasis" => Self::Emphasis,
            "good" => Self::Good,
            "attention" => Self::Attention,
            "warning" => Self::Warning,
            "accent" => Self::Accent,
            _ => Self::Default,
        }
    }

    /// The name in our style sheet.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Emphasis => "emphasis",
            Self::Good => "good",
            Self::Attention => "attention",
            Self::Warning => "warning",
            Self::Accent => "accent",
        }
    }
}

impl TeamsCard {
    /// Reads a body. `None`: the workflow would find no card.
    pub(super) fn of(message: &Value) -> Option<Self> {
        let card = list_in(message, "attachments")
            .iter()
            .find_map(|attachment| attachment.get("content"))?;
        let elements: Vec<Element> = list_in(card, "body").iter().map(element).collect();
        let actions = list_in(card, "actions").iter().map(action).collect();
        (!elements.is_empty()).then_some(Self { elements, actions })
    }
}

fn element(element: &Value) -> Element {
    match text_at(element, "/type") {
        "TextBlock" => Element::Text(text_block(element)),
        "Container" => Element::Container {
            style: Style::of(text_at(element, "/style")),
            // A container within a container has no ground of its own here.
            items: list_in(element, "items").iter().map(item).collect(),
        },
        "FactSet" => Element::Facts(list_in(element, "facts").iter().map(fact).collect()),
        other => Element::Other(other.to_owned()),
    }
}

fn item(item: &Value) -> Element {
    match text_at(item, "/type") {
        "TextBlock" => Element::Text(text_block(item)),
        other => Element::Other(other.to_owned()),
    }
}

fn text_block(block: &Value) -> TextBlock {
    let is_large = matches!(text_at(block, "/size"), "Large" | "large" | "ExtraLarge");
    let is_small = matches!(text_at(block, "/size"), "Small" | "small");
    let is_bold = matches!(text_at(block, "/weight"), "Bolder" | "bolder");
    let is_subtle = block.get("isSubtle").and_then(Value::as_bool) == Some(true);
    let looks = [
        (is_large, "large"),
        (is_small, "small"),
        (is_bold, "bolder"),
        (is_subtle, "subtle"),
    ];
    let looks = looks.iter().filter(|(is, _)| *is).map(|(_, name)| *name);
    TextBlock {
        text: spans(text_at(block, "/text")),
        look: looks.collect::<Vec<_>>().join(" "),
    }
}

fn fact(fact: &Value) -> (Vec<Span>, Vec<Span>) {
    (
        spans(text_at(fact, "/title")),
        spans(text_at(fact, "/value")),
    )
}

fn action(action: &Value) -> Action {
    Action {
        title: text_at(action, "/title").to_owned(),
        url: page(text_at(action, "/url")),
    }
}

fn spans(text: &str) -> Vec<Span> {
    read(text, |before, rest| {
        invisible(rest)
            .or_else(|| time(rest))
            .or_else(|| markdown_link(rest))
            .or_else(|| emphasis(before, rest))
    })
}

/// Shown without a width, and copied by nobody from here.
fn invisible(rest: &str) -> Option<(Span, usize)> {
    rest.starts_with(ZERO_WIDTH)
        .then(|| (Span::Text(String::new()), ZERO_WIDTH.len_utf8()))
}

/// `{{DATE(2026-11-23T08:15:30Z,SHORT)}} {{TIME(2026-11-23T08:15:30Z)}}`, a date with its time, or one of both.
fn time(rest: &str) -> Option<(Span, usize)> {
    let (at, length) = macro_of(rest, "DATE").or_else(|| macro_of(rest, "TIME"))?;
    let after = rest[length..].strip_prefix(' ');
    let same = after.and_then(|after| macro_of(after, "TIME"));
    // A date with the time of the same moment is one moment.
    let more = same.filter(|(time, _)| *time == at);
    let more = more.map_or(0, |(_, length)| length + 1);
    Some((Span::Time(at), length + more))
}

fn macro_of(rest: &str, name: &str) -> Option<(DateTime<Utc>, usize)> {
    let inner = rest.strip_prefix("{{")?.strip_prefix(name)?;
    let inner = inner.strip_prefix('(')?;
    let inner = &inner[..inner.find(")}}")?];
    let time = inner.split(',').next().unwrap_or_default();
    let at = DateTime::parse_from_rfc3339(time).ok()?.to_utc();
    Some((at, "{{()}}".len() + name.len() + inner.len()))
}

/// An emphasis that stands alone: `lic_42 and prd_7` has none.
fn emphasis(before: Option<char>, rest: &str) -> Option<(Span, usize)> {
    const MARKS: [Mark; 2] = [("**", Span::Bold), ("_", Span::Italic)];
    let (mark, kind) = MARKS.iter().find(|(mark, _)| rest.starts_with(mark))?;
    let (inner, length) = enclosed(rest, mark)?;
    let stands_alone = is_boundary(before) && is_boundary(rest[length..].chars().next());
    stands_alone.then(|| (kind(inner.to_owned()), length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(text: &str) -> Span {
        Span::Text(text.to_owned())
    }

    #[test]
    fn a_date_and_its_time_are_one_moment() {
        let shown =
            spans("{{DATE(1970-01-01T00:00:00Z,SHORT)}} {{TIME(1970-01-01T00:00:00Z)}} · a");

        assert_eq!(shown, [Span::Time(DateTime::UNIX_EPOCH), text(" · a")]);
        assert_eq!(spans("{{DATE(soon)}}"), [text("{{DATE(soon)}}")]);
    }

    #[test]
    fn characters_that_were_taken_apart_do_not_act() {
        let link = spans("[x]\u{200b}(https://evil.example)");

        assert_eq!(link, [text("[x](https://evil.example)")]);
        assert_eq!(spans("lic_42 and prd_7"), [text("lic_42 and prd_7")]);
    }

    #[test]
    fn a_card_is_found_in_its_attachment() {
        let body = json!({"attachments": [{"content": {"body": [
            {"type": "Container", "style": "attention", "items": [{"type": "TextBlock", "text": "T", "size": "Large"}]},
            {"type": "Image"}], "actions": [{"title": "Open", "url": "javascript:a"}]}}]});

        let card = TeamsCard::of(&body).expect("a card");

        let title = Element::Text(TextBlock {
            text: vec![text("T")],
            look: "large".to_owned(),
        });
        let container = Element::Container {
            style: Style::Attention,
            items: vec![title],
        };
        assert_eq!(
            card.elements,
            [container, Element::Other("Image".to_owned())]
        );
        assert_eq!(card.actions[0].url, None);
        assert_eq!(TeamsCard::of(&json!({"attachments": []})), None);
    }
}
