//! The messages of all 21 types, as files in `snapshots/` that a person reads: how each message looks in each
//! format. `WRITE_SNAPSHOTS=1 cargo test -p webhook-domain` writes the files again.

use std::fmt::Write;
use std::path::Path;

use super::cloudevents::cloudevents_body;
use super::discord::discord_body;
use super::fields::Fields;
use super::notice::Notice;
use super::sentence::sentence;
use super::slack::slack_body;
use super::teams::teams_body;
use super::test_events::{event, raw, test_event};
use crate::{Environment, Event, EventType, LinkPatterns};

/// The variable that makes the tests write the files instead of comparing.
const WRITE: &str = "WRITE_SNAPSHOTS";

/// The page of a delivery, for events whose objects have no pattern.
const DELIVERY_PAGE: &str =
    "https://webhooks.example.com/deliveries/0192f0c1-7c1e-7b7e-8d5e-000000000001";

#[test]
fn slack_messages_are_as_in_their_snapshot() {
    compare("slack.txt", &messages(|event| slack_body(&notice(event))));
}

#[test]
fn discord_messages_are_as_in_their_snapshot() {
    compare(
        "discord.txt",
        &messages(|event| discord_body(&notice(event))),
    );
}

#[test]
fn teams_messages_are_as_in_their_snapshot() {
    compare("teams.txt", &messages(|event| teams_body(&notice(event))));
}

#[test]
fn cloudevents_are_as_in_their_snapshot() {
    compare("cloudevents.txt", &messages(cloudevents_body));
}

#[test]
fn every_type_has_a_sentence_with_its_facts_and_without_any_fact() {
    let mut table = String::new();
    for event_type in EventType::ALL {
        let example = raw(event_type.example());
        let facts = sentence(event_type.sentence(), &Fields::of(&example));
        let bare = sentence(event_type.sentence(), &Fields::default());
        writeln!(table, "{event_type}\n    {facts}\n    {bare}\n").expect("a text takes all");
    }

    compare("sentences.txt", &table);
}

/// The message of each type, and of three unusual events.
fn messages(body: impl Fn(&Event) -> Vec<u8>) -> String {
    let mut file = String::new();
    let mut add = |title: &str, event: &Event| {
        let body = String::from_utf8(body(event)).expect("a body is text");
        write!(file, "## {title}\n{}\n\n", indented(&body)).expect("a text takes all");
    };
    for event_type in EventType::ALL {
        let event = event(*event_type, Environment::Production, event_type.example());
        add(event_type.as_str(), &event);
    }
    let bare = event(EventType::ActivationFailed, Environment::Staging, "{}");
    add("activation.failed in staging, without any fact", &bare);
    add("license.expired, a test in development", &test_event());
    let hostile = event(
        EventType::LicenseSuspended,
        Environment::Production,
        HOSTILE,
    );
    add("license.suspended with hostile values", &hostile);
    file
}

/// Values that act in a chat unless a format takes care.
const HOSTILE: &str = r#"{"license_id":42,"reason":"<!channel> @everyone <@U1> <at>x</at>\nsee [login](https://evil.example) & `code` |x| *b* {{DATE(2026-01-01T00:00:00Z)}}",
"\u202eemag":"<b>bold</b>","customer":{"id":null,"name":"Müller & Söhne 👨‍👩‍👧 \ud800","vip":true},"tags":["a","b_c",3,null,"d","e","f"],
"f1":1,"f2":2,"f3":3,"f4":4,"f5":5,"f6":6,"f7":7}"#;

fn notice(event: &Event) -> Notice {
    let mut links = LinkPatterns::default();
    for object in ["license", "contract", "customer"] {
        let url = format!("https://platform.example/{object}s/{{id}}?a=1&b=2");
        links.set(&format!("{object}_id"), &url).expect("a pattern");
    }
    Notice::of(event, &links, Some(DELIVERY_PAGE))
}

fn compare(file: &str, written: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/formats/snapshots")
        .join(file);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, written).expect("the file can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept
        .lines()
        .zip(written.lines())
        .find(|(kept, written)| kept != written);
    assert_eq!(
        differs, None,
        "{file}: set {WRITE}=1 if the new text is right"
    );
    assert_eq!(
        kept.len(),
        written.len(),
        "{file}: set {WRITE}=1 if the new text is right"
    );
}

/// JSON with a line for each value, in the order of the text and with every text as written.
fn indented(json: &str) -> String {
    let mut lines = String::new();
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for char in json.chars().filter(|char| *char != '\n') {
        let closes = !in_text && matches!(char, '}' | ']');
        depth -= usize::from(closes);
        // No line between the brackets of an empty object or array.
        if !in_text && lines.ends_with(['{', '[']) != closes {
            lines += &line(depth);
        }
        lines.push(char);
        match char {
            '"' if !escaped => in_text = !in_text,
            '{' | '[' if !in_text => depth += 1,
            ':' if !in_text => lines.push(' '),
            ',' if !in_text => lines += &line(depth),
            _ => {}
        }
        escaped = in_text && char == '\\' && !escaped;
    }
    lines
}

fn line(depth: usize) -> String {
    format!("\n{}", "  ".repeat(depth))
}
