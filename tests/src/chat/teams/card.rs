//! The flow's steps after the 202: the message is read, and each attachment becomes a card in a channel.

use serde_json::Value;

use crate::chat::json::{is_blank, is_web_url, items, texts};

const CARD: &str = "application/vnd.microsoft.card.adaptive";
const VERSIONS: [&str; 3] = ["1.2", "1.3", "1.4"];
/// Levels of containers in a card.
const MAX_DEPTH: usize = 16;

/// Finds the first fault of a message, with the place.
pub(super) fn check(message: &Value) -> Result<(), String> {
    if message["type"] != "message" {
        return Err(format!("a message of type {}", message["type"]));
    }
    let attachments = items(&message["attachments"]);
    if attachments.is_empty() {
        return Err("no attachments".to_owned());
    }
    for (number, attachment) in attachments.iter().enumerate() {
        check_attachment(attachment).map_err(|fault| format!("attachments/{number}: {fault}"))?;
    }
    Ok(())
}

/// The mentions of a valid message: an entity of type `mention` whose text stands in a text of the card.
pub(super) fn mentions(message: &Value) -> Vec<String> {
    let cards = items(&message["attachments"])
        .iter()
        .map(|attachment| &attachment["content"]);
    cards.flat_map(in_card).collect()
}

fn in_card(card: &Value) -> Vec<String> {
    let entities = items(&card["msteams"]["entities"]).iter();
    let entities = entities.filter(|entity| entity["type"] == "mention");
    let named = entities.filter_map(|entity| entity["text"].as_str());
    let said = texts(&card["body"]);
    let mentioned = named.filter(|name| said.iter().any(|text| text.contains(name)));
    mentioned.map(str::to_owned).collect()
}

fn check_attachment(attachment: &Value) -> Result<(), String> {
    if attachment["contentType"] != CARD {
        return Err(format!("contentType {}", attachment["contentType"]));
    }
    if !attachment["contentUrl"].is_null() {
        return Err(format!("contentUrl {}", attachment["contentUrl"]));
    }
    let card = &attachment["content"];
    if card["type"] != "AdaptiveCard" {
        return Err(format!("a card of type {}", card["type"]));
    }
    // A version is a text; the number 1.4 is none.
    if !card["version"]
        .as_str()
        .is_some_and(|version| VERSIONS.contains(&version))
    {
        return Err(format!("card version {}", card["version"]));
    }
    check_each(&card["body"], "body", &|element| {
        check_element(element, MAX_DEPTH)
    })?;
    check_optional(&card["actions"], "actions", &check_action)
}

fn check_element(element: &Value, depth: usize) -> Result<(), String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("more than {MAX_DEPTH} levels"));
    };
    match element["type"].as_str() {
        Some("TextBlock") => check_text(&element["text"], "text of a TextBlock"),
        Some("RichTextBlock") => check_each(&element["inlines"], "inlines", &check_inline),
        Some("FactSet") => check_each(&element["facts"], "facts", &check_fact),
        Some("Image") => check_url(&element["url"]),
        Some("ActionSet") => check_each(&element["actions"], "actions", &check_action),
        Some("Container") => check_each(&element["items"], "items", &|item| {
            check_element(item, depth)
        }),
        Some("ColumnSet") => check_each(&element["columns"], "columns", &|column| {
            check_column(column, depth)
        }),
        unknown => Err(format!("unknown element {unknown:?}")),
    }
}

fn check_column(column: &Value, depth: usize) -> Result<(), String> {
    if !column["type"].is_null() && column["type"] != "Column" {
        return Err(format!("{} is no Column", column["type"]));
    }
    check_optional(&column["items"], "items", &|item| {
        check_element(item, depth)
    })
}

fn check_inline(inline: &Value) -> Result<(), String> {
    if inline.is_string() {
        return Ok(());
    }
    if inline["type"] != "TextRun" {
        return Err(format!("{} is no TextRun", inline["type"]));
    }
    check_text(&inline["text"], "text of a TextRun")
}

fn check_fact(fact: &Value) -> Result<(), String> {
    check_text(&fact["title"], "title of a fact")?;
    check_text(&fact["value"], "value of a fact")
}

fn check_action(action: &Value) -> Result<(), String> {
    // A workflow has nobody who would take the input of another action.
    if action["type"] != "Action.OpenUrl" {
        return Err(format!("unknown action {}", action["type"]));
    }
    check_text(&action["title"], "title of an action")?;
    check_url(&action["url"])
}

fn check_text(text: &Value, name: &str) -> Result<(), String> {
    if text.is_string() && !is_blank(text) {
        return Ok(());
    }
    Err(format!("{name}: {text} is no text or empty"))
}

fn check_url(url: &Value) -> Result<(), String> {
    if is_web_url(url) {
        return Ok(());
    }
    Err(format!("{url} is no http or https URL"))
}

type Check<'a> = &'a dyn Fn(&Value) -> Result<(), String>;

fn check_each(list: &Value, name: &str, check: Check<'_>) -> Result<(), String> {
    if items(list).is_empty() {
        return Err(format!("no {name}"));
    }
    let mut all = items(list).iter().enumerate();
    all.try_for_each(|(number, item)| {
        check(item).map_err(|fault| format!("{name}/{number}: {fault}"))
    })
}

fn check_optional(list: &Value, name: &str, check: Check<'_>) -> Result<(), String> {
    if list.is_null() || list.as_array().is_some_and(Vec::is_empty) {
        return Ok(());
    }
    check_each(list, name, check)
}
