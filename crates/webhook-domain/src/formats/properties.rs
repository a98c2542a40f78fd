//! Properties of every built-in format, for any event: valid JSON within every limit, and no mention, no link
//! and no markup out of a value.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::cloudevents::cloudevents_body;
use super::discord::discord_body;
use super::format::Format;
use super::limits::limits_used;
use super::notice::{Fact, Gist, Notice};
use super::plain_text::one_line;
use super::slack::slack_body;
use super::teams::teams_body;
use super::test_events::event;
use crate::{Environment, Event, EventType, LinkPatterns};

const PLATFORM: &str = "https://platform.example/";

/// Pieces of JSON strings that act in a chat, that hide, or that JSON escapes.
const PIECES: [&str; 40] = [
    "<!channel>",
    "<!here|here>",
    "<@U012>",
    "<#C012>",
    "<@&1>",
    "@everyone",
    "@HERE",
    "@channel",
    "<at>x</at>",
    "[x](https://evil.example)",
    "<https://evil.example|x>",
    "https://evil.example",
    "[x][y]",
    "[y]: //z",
    "](",
    "<",
    ">",
    "&",
    "&amp;",
    "|",
    "*",
    "_",
    "~",
    "`",
    "```",
    "# ",
    "> ",
    "- ",
    "{{DATE(1)}}",
    "{{",
    "😀",
    "é",
    "漢",
    r"\ud800",
    r"\u0000",
    r"\n",
    r"\u202e",
    r"\u200b",
    r"\\",
    r#"\""#,
];

/// Names of fields that sentences and links ask for.
const NAMES: [&str; 14] = [
    "license_id",
    "activation_id",
    "product_id",
    "contract_id",
    "customer_id",
    "device",
    "reason",
    "seats",
    "name",
    "changed",
    "assignee",
    "expires_at",
    "hours_used",
    "finding",
];

fn json_string() -> impl Strategy<Value = String> {
    let any_char = any::<char>().prop_map(|char| {
        let json = serde_json::to_string(&char).expect("JSON");
        json[1..json.len() - 1].to_owned()
    });
    let piece = prop_oneof![3 => select(&PIECES[..]).prop_map(str::to_owned), 1 => any_char];
    let times = prop_oneof![9 => Just(1_usize), 1 => Just(300)];
    (prop::collection::vec(piece, 0..12), times)
        .prop_map(|(pieces, times)| format!("\"{}\"", pieces.concat().repeat(times)))
}

fn json_value() -> impl Strategy<Value = String> {
    let literals = [
        "null",
        "true",
        "0",
        "-1",
        "1",
        "1e400",
        "9007199254740993",
        "{}",
        "[]",
        "\"2026-11-23T08:15:30+02:00\"",
        "\"lic_42\"",
    ];
    let leaf =
        prop_oneof![2 => json_string(), 1 => select(literals.to_vec()).prop_map(str::to_owned)];
    leaf.prop_recursive(4, 40, 8, |inner| {
        let array = prop::collection::vec(inner.clone(), 0..8)
            .prop_map(|all| format!("[{}]", all.join(",")));
        prop_oneof![array, json_object(inner)]
    })
}

fn json_object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let known = select(&NAMES[..]).prop_map(|name| format!("\"{name}\""));
    let field = (prop_oneof![known, json_string()], value)
        .prop_map(|(name, value)| format!("{name}:{value}"));
    prop::collection::vec(field, 0..16).prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

fn any_event() -> impl Strategy<Value = (EventType, Environment, String)> {
    (
        select(EventType::ALL),
        select(Environment::ALL),
        json_object(json_value()),
    )
}

proptest! {
    // A case has tens of values and some thousand characters: fewer cases than usual take a second.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_event_is_a_sound_message_in_every_format((event_type, environment, data) in any_event()) {
        prop_assume!(data.len() < 250_000);

        let event = event(event_type, environment, &data);

        assert_sound(&event);
        assert_same_gist(&event);
        let cloudevent = String::from_utf8(cloudevents_body(&event)).expect("text");
        let written = format!("\"data\":{data}}}");
        prop_assert!(cloudevent.ends_with(&written));
    }
}

/// Sentence and link are those of the notice, though few fields are read.
fn assert_same_gist(event: &Event) {
    let mut links = LinkPatterns::default();
    let set = links.set("license_id", "https://platform.example/{id}");
    set.expect("a pattern");

    let (gist, notice) = (
        Gist::of(event, &links, None),
        Notice::of(event, &links, None),
    );

    assert_eq!((gist.sentence, gist.link), (notice.sentence, notice.link));
}

#[test]
fn the_largest_events_are_sound_messages() {
    let texts = PIECES.map(|piece| {
        format!(
            r#"{{"license_id":"lic_42","reason":"{}"}}"#,
            piece.repeat(200_000 / piece.len())
        )
    });
    let keys: Vec<String> = (0..10_000).map(|n| format!("\"key {n}\":{n}")).collect();
    let nulls: Vec<String> = (0..10_000)
        .map(|n| format!("\"k{}\":null", n % 5_000))
        .collect();
    let deep = format!(
        "{{\"reason\":{}1{}}}",
        "[{\"id\":".repeat(10_000),
        "}]".repeat(10_000)
    );
    let wide = format!(
        "{{\"reason\":[{}0],\"device\":{{{}}}}}",
        "0,".repeat(50_000),
        nulls.join(",")
    );
    let objects = [keys.join(","), nulls.join(",")].map(|fields| format!("{{{fields}}}"));

    for data in texts.into_iter().chain(objects).chain([deep, wide]) {
        assert_sound(&event(
            EventType::ActivationFailed,
            Environment::Production,
            &data,
        ));
    }
}

#[test]
fn a_notice_of_any_size_is_cut_to_the_limits_of_each_format() {
    let bare = event(EventType::LicenseRevoked, Environment::Staging, "{}");
    let notice = Notice::of(&bare, &LinkPatterns::default(), None);

    for piece in ["&", "<", "_", "\"", "\\", "😀", "漢", "@here", "](", "a b "] {
        let text = format!("x{}x", piece.repeat(5_000));
        let fact = Fact {
            name: text.clone(),
            value: text.clone(),
        };

        assert_notice_is_sound(&Notice {
            sentence: text,
            facts: vec![fact; 40],
            ..notice.clone()
        });
    }
}

fn assert_sound(event: &Event) {
    let mut links = LinkPatterns::default();
    let pattern = format!("{PLATFORM}{{id}}?a=1&b=2|3");
    links.set("license_id", &pattern).expect("a pattern");
    let notice = Notice::of(event, &links, Some("https://platform.example/deliveries/1"));

    assert!(notice.facts.len() <= Notice::MAX_FACTS);
    assert_notice_is_sound(&notice);
}

fn assert_notice_is_sound(notice: &Notice) {
    assert!(teams_body(notice).len() <= 24 * 1_024);
    for (format, body, is_sound) in [
        (
            Format::Slack,
            slack_body(notice),
            is_sound_in_slack as fn(&str) -> bool,
        ),
        (Format::Discord, discord_body(notice), is_sound_in_discord),
        (Format::Teams, teams_body(notice), is_sound_in_teams),
    ] {
        let limits = limits_used(format, &body);
        let exceeded = limits.iter().find(|limit| limit.is_exceeded());
        assert_eq!(exceeded, None, "{format}");
        let message: Value = serde_json::from_slice(&body).expect("JSON");
        for_each_text(&message, &mut |text| {
            assert!(is_sound(text) && is_plain(text), "{format}: {text:?}");
        });
    }
}

fn for_each_text(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(values) => values.iter().for_each(|value| for_each_text(value, visit)),
        Value::Object(fields) => fields
            .values()
            .for_each(|value| for_each_text(value, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a text is not empty, notifies nobody, and hides nothing.
fn is_plain(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mentions = ["@everyone", "@here", "@channel"]
        .iter()
        .any(|name| lower.contains(name));
    let lines = text.replace('\u{200b}', "");
    let hides = lines
        .split('\n')
        .any(|line| one_line(line, usize::MAX) != line);
    !text.is_empty() && !mentions && !hides
}

/// Whether `<` is only in our own link or time, and `&` only in an entity.
fn is_sound_in_slack(text: &str) -> bool {
    let own = ["<!date^", "<https://platform.example/"]
        .iter()
        .find_map(|own| text.strip_prefix(own));
    let rest = match own {
        Some(rest) => rest.replacen('>', "", 1),
        None => text.to_owned(),
    };
    let entities = ["amp;", "lt;", "gt;"];
    let bare = |part: &str| entities.iter().any(|entity| part.starts_with(entity));
    !rest.contains(['<', '>']) && rest.split('&').skip(1).all(bare)
}

/// Whether a backslash stands before each character that acts, and none before nothing.
fn is_sound_in_discord(text: &str) -> bool {
    let is_our_own = text.starts_with(PLATFORM) || text.starts_with('[') || text.contains(" · ");
    let mut chars = text.chars();
    let mut shown = String::new();
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.next().is_none() => return false,
            '\\' => shown.push('.'),
            acts if "*_~`|<>[]".contains(acts) && !is_our_own => return false,
            other => shown.push(other),
        }
    }
    is_our_own || !(shown.contains("://") || shown.starts_with(['#', '-', '+']))
}

fn is_sound_in_teams(text: &str) -> bool {
    let rest = text
        .strip_prefix("{{DATE(")
        .map(|rest| rest.replacen("{{TIME(", "", 1));
    let rest = rest.as_deref().unwrap_or(text);
    let acting = [
        "](", "][", "]:", "{{", "<a", "<b", "<h", "<@", "</", "<!", "<#",
    ];
    !acting.iter().any(|acting| rest.contains(acting))
}
