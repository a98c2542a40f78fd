//! A Slack message as Slack draws the blocks: header, sections, fields and context.
//!
//! The markup is `mrkdwn`: <https://docs.slack.dev/messaging/formatting-message-text>.

use chrono::DateTime;
use serde_json::Value;

use super::spans::{Mark, Span, enclosed, is_boundary, list_in, read, text_at};

/// A Slack message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SlackMessage {
    pub(crate) blocks: Vec<Block>,
}

/// A block of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Header(String),
    Section {
        text: Vec<Span>,
        fields: Vec<Vec<Span>>,
    },
    Context(Vec<Vec<Span>>),
    Divider,
    /// A block of a kind that is not drawn, by the name of the kind.
    Other(String),
}

impl SlackMessage {
    /// Reads a body. `None`: Slack would find nothing to show.
    pub(super) fn of(message: &Value) -> Option<Self> {
        let blocks: Vec<Block> = list_in(message, "blocks").iter().map(block).collect();
        if !blocks.is_empty() {
            return Some(Self { blocks });
        }
        // Without blocks Slack shows the text, which beside blocks is for notifications only.
        let text = text_at(message, "/text");
        let section = Block::Section {
            text: spans(text),
            fields: Vec::new(),
        };
        (!text.is_empty()).then(|| Self {
            blocks: vec![section],
        })
    }
}

fn block(block: &Value) -> Block {
    match text_at(block, "/type") {
        "header" => Block::Header(text_at(block, "/text/text").to_owned()),
        "section" => Block::Section {
            text: block.get("text").map(text_object).unwrap_or_default(),
            fields: list_in(block, "fields").iter().map(text_object).collect(),
        },
        "context" => Block::Context(list_in(block, "elements").iter().map(text_object).collect()),
        "divider" => Block::Divider,
        other => Block::Other(other.to_owned()),
    }
}

fn text_object(object: &Value) -> Vec<Span> {
    let text = text_at(object, "/text");
    if text_at(object, "/type") == "plain_text" {
        return vec![Span::Text(text.to_owned())];
    }
    spans(text)
}

fn spans(text: &str) -> Vec<Span> {
    read(text, |before, rest| {
        escape(rest)
            .or_else(|| in_angles(rest))
            .or_else(|| emphasis(before, rest))
    })
}

/// The three characters that Slack wants escaped.
fn escape(rest: &str) -> Option<(Span, usize)> {
    const ESCAPES: [(&str, &str); 3] = [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];
    let (escape, char) = ESCAPES
        .iter()
        .find(|(escape, _)| rest.starts_with(escape))?;
    Some((Span::Text((*char).to_owned()), escape.len()))
}

/// `<url|text>`, `<url>`, `<!date^seconds^format|text>`, `<!channel>` or `<@user>`.
fn in_angles(rest: &str) -> Option<(Span, usize)> {
    let inner = rest.strip_prefix('<')?;
    let inner = &inner[..inner.find('>')?];
    let (target, shown) = inner.split_once('|').unwrap_or((inner, inner));
    let span = if let Some(date) = target.strip_prefix("!date^") {
        let seconds = date.split('^').next().and_then(|text| text.parse().ok());
        let at = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        at.map_or_else(|| Span::Text(plain(shown)), Span::Time)
    } else if let Some(name) = target.strip_prefix(['!', '@', '#']) {
        Span::Bold(format!("@{}", plain(name)))
    } else {
        Span::link(plain(shown), &plain(target))
    };
    Some((span, inner.len() + "<>".len()))
}

fn emphasis(before: Option<char>, rest: &str) -> Option<(Span, usize)> {
    const MARKS: [Mark; 4] = [
        ("*", Span::Bold),
        ("_", Span::Italic),
        ("~", Span::Struck),
        ("`", Span::Code),
    ];
    let (mark, kind) = MARKS.iter().find(|(mark, _)| rest.starts_with(mark))?;
    let (inner, length) = enclosed(rest, mark)?;
    let stands_alone = is_boundary(before) && is_boundary(rest[length..].chars().next());
    stands_alone.then(|| (kind(plain(inner)), length))
}

/// A text without escape sequences.
fn plain(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    // The ampersand last: `&amp;lt;` shows as `&lt;`.
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(text: &str) -> Span {
        Span::Text(text.to_owned())
    }

    #[test]
    fn markup_is_read_as_slack_reads_it() {
        for (markup, expected) in [
            (
                "*License ID*\nlic_42_a",
                vec![Span::Bold("License ID".to_owned()), text("\nlic_42_a")],
            ),
            (
                "a &lt;!channel&gt; &amp;amp; b",
                vec![text("a <!channel> &amp; b")],
            ),
            ("_i_", vec![Span::Italic("i".to_owned())]),
            ("~s~", vec![Span::Struck("s".to_owned())]),
            ("`c`", vec![Span::Code("c".to_owned())]),
            ("<javascript:alert(1)|x>", vec![text("x")]),
            ("<!channel>", vec![Span::Bold("@channel".to_owned())]),
            ("3 < 5", vec![text("3 < 5")]),
        ] {
            assert_eq!(spans(markup), expected, "{markup}");
        }
    }

    #[test]
    fn a_link_and_a_time_are_read_from_angles() {
        let link = spans("<https://a.example/?a=1&amp;b=2|Open license>");
        let time = spans("<!date^0^{date_short_pretty} {time}|1970-01-01 00:00 UTC> · a");

        assert_eq!(
            link,
            [Span::link("Open license", "https://a.example/?a=1&b=2")]
        );
        assert_eq!(time, [Span::Time(DateTime::UNIX_EPOCH), text(" · a")]);
    }

    #[test]
    fn a_message_without_blocks_is_its_text_and_another_body_is_none() {
        let message = SlackMessage::of(&json!({"text": "Hello"}));

        let section = Block::Section {
            text: vec![text("Hello")],
            fields: vec![],
        };
        assert_eq!(
            message,
            Some(SlackMessage {
                blocks: vec![section]
            })
        );
        for other in [json!({"id": "a"}), json!([]), json!({"blocks": "a"})] {
            assert_eq!(SlackMessage::of(&other), None, "{other}");
        }
    }
}
