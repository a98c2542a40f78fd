//! Block Kit, as far as an alert needs it: six types of blocks, their texts, buttons and images. Other
//! types, unknown fields, and texts that are empty or too long are faults.

use serde_json::Value;

use crate::chat::json::{is_blank, is_web_url, items, length};

const MAX_BLOCKS: usize = 50;
const MAX_HEADER: usize = 150;
const MAX_SECTION_TEXT: usize = 3_000;
const MAX_FIELDS: usize = 10;
const MAX_FIELD: usize = 2_000;
const MAX_CONTEXT_ELEMENTS: usize = 10;
const MAX_ACTIONS: usize = 25;
const MAX_BUTTON_TEXT: usize = 75;
const MAX_ALT_TEXT: usize = 2_000;

const PLAIN: &[&str] = &["plain_text"];
const PLAIN_OR_MARKED: &[&str] = &["plain_text", "mrkdwn"];

/// Finds the first fault of a list of blocks, with the place: `blocks/3: unknown type "heading"`.
pub(super) fn check(blocks: &[Value]) -> Result<(), String> {
    at_most("blocks", blocks.len(), MAX_BLOCKS)?;
    for (number, block) in blocks.iter().enumerate() {
        check_block(block).map_err(|fault| format!("blocks/{number}: {fault}"))?;
    }
    Ok(())
}

fn check_block(block: &Value) -> Result<(), String> {
    match block["type"].as_str() {
        Some("header") => {
            only_fields(block, &["text", "block_id"])?;
            check_text(&block["text"], PLAIN, "header", MAX_HEADER)
        }
        Some("section") => check_section(block),
        Some("context") => {
            only_fields(block, &["elements", "block_id"])?;
            check_each(block, "elements", MAX_CONTEXT_ELEMENTS, check_context)
        }
        Some("actions") => {
            only_fields(block, &["elements", "block_id"])?;
            check_each(block, "elements", MAX_ACTIONS, check_button)
        }
        Some("image") => {
            only_fields(block, &["image_url", "alt_text", "title", "block_id"])?;
            check_image(block)
        }
        Some("divider") => only_fields(block, &["block_id"]),
        unknown => Err(format!("unknown type {unknown:?}")),
    }
}

fn check_section(block: &Value) -> Result<(), String> {
    only_fields(
        block,
        &["text", "fields", "accessory", "block_id", "expand"],
    )?;
    if block.get("text").is_none() && block.get("fields").is_none() {
        return Err("a section without text and fields".to_owned());
    }
    if let Some(text) = block.get("text") {
        check_text(text, PLAIN_OR_MARKED, "section text", MAX_SECTION_TEXT)?;
    }
    if block.get("fields").is_some() {
        let check = |field: &Value| check_text(field, PLAIN_OR_MARKED, "field", MAX_FIELD);
        check_each(block, "fields", MAX_FIELDS, check)?;
    }
    match block.get("accessory") {
        Some(image) if image["type"] == "image" => check_image(image),
        Some(button) => check_button(button),
        None => Ok(()),
    }
}

fn check_context(element: &Value) -> Result<(), String> {
    if element["type"] == "image" {
        return check_image(element);
    }
    check_text(element, PLAIN_OR_MARKED, "context text", MAX_SECTION_TEXT)
}

fn check_button(button: &Value) -> Result<(), String> {
    if button["type"] != "button" {
        return Err(format!("{} is no button", button["type"]));
    }
    only_fields(
        button,
        &[
            "text",
            "url",
            "action_id",
            "value",
            "style",
            "accessibility_label",
        ],
    )?;
    check_text(&button["text"], PLAIN, "button", MAX_BUTTON_TEXT)?;
    let style = &button["style"];
    if !style.is_null() && style != "primary" && style != "danger" {
        return Err(format!("unknown style {style}"));
    }
    // An incoming webhook has no address for interactions: a button without a link does nothing.
    check_url(&button["url"])
}

fn check_image(image: &Value) -> Result<(), String> {
    check_url(&image["image_url"])?;
    let alt_text = image["alt_text"].as_str().unwrap_or_default();
    if alt_text.is_empty() {
        return Err("an image without alt_text".to_owned());
    }
    at_most("characters of alt_text", length(alt_text), MAX_ALT_TEXT)
}

fn check_url(url: &Value) -> Result<(), String> {
    if is_web_url(url) {
        return Ok(());
    }
    Err(format!("{url} is no http or https URL"))
}

fn check_text(object: &Value, types: &[&str], name: &str, max: usize) -> Result<(), String> {
    let kind = object["type"].as_str().unwrap_or_default();
    if !types.contains(&kind) {
        return Err(format!("{name} of type {kind:?}"));
    }
    // `emoji` belongs to plain texts, `verbatim` to marked ones.
    let extra = if kind == "plain_text" {
        "emoji"
    } else {
        "verbatim"
    };
    only_fields(object, &["text", extra])?;
    let text = &object["text"];
    if !text.is_string() || is_blank(text) {
        return Err(format!("{name}: {text} is no text or empty"));
    }
    let characters = length(text.as_str().unwrap_or_default());
    at_most(&format!("characters of {name}"), characters, max)
}

fn check_each(
    block: &Value,
    list: &str,
    max: usize,
    check: impl Fn(&Value) -> Result<(), String>,
) -> Result<(), String> {
    let all = items(&block[list]);
    if all.is_empty() {
        return Err(format!("no {list}"));
    }
    at_most(list, all.len(), max)?;
    all.iter().try_for_each(check)
}

fn only_fields(object: &Value, known: &[&str]) -> Result<(), String> {
    let fields = object
        .as_object()
        .ok_or_else(|| format!("{object} is no object"))?;
    let mut names = fields.keys().map(String::as_str);
    match names.find(|name| *name != "type" && !known.contains(name)) {
        Some(unknown) => Err(format!("unknown field {unknown:?}")),
        None => Ok(()),
    }
}

fn at_most(name: &str, count: usize, max: usize) -> Result<(), String> {
    if count > max {
        return Err(format!("{count} {name}, above {max}"));
    }
    Ok(())
}
