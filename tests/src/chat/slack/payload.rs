use serde_json::Value;

use super::blocks;
use crate::chat::json::{is_blank, items};

/// Why Slack refuses a body with 400.
#[derive(Debug)]
pub(super) struct Fault {
    /// The body of Slack's response.
    pub(super) code: &'static str,
    /// The place and the reason, for who reads a failed test.
    pub(super) why: String,
}

impl Fault {
    fn new(code: &'static str, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { code, why }
    }
}

/// The message of a request's body, which is `None` where the body is no JSON.
pub(super) fn read(body: Option<Value>) -> Result<Value, Fault> {
    let no_object = || Fault::new("invalid_payload", "the body is no JSON object");
    let message = body.filter(Value::is_object).ok_or_else(no_object)?;
    let text = &message["text"];
    if !text.is_null() && !text.is_string() {
        return Err(Fault::new("invalid_payload", "text: no text"));
    }
    let attachments = &message["attachments"];
    if !attachments.is_null() && !attachments.is_array() {
        return Err(Fault::new("invalid_payload", "attachments: no list"));
    }
    if ["text", "blocks", "attachments"].map(|part| is_blank(&message[part])) == [true; 3] {
        return Err(Fault::new(
            "no_text",
            "neither text, blocks nor attachments",
        ));
    }
    check_blocks(&message, "")?;
    for (number, attachment) in items(attachments).iter().enumerate() {
        check_attachment(attachment, number)?;
    }
    Ok(message)
}

fn check_attachment(attachment: &Value, number: usize) -> Result<(), Fault> {
    let place = format!("attachments/{number}/");
    if ["text", "fallback", "blocks"].map(|part| is_blank(&attachment[part])) == [true; 3] {
        let code = "missing_text_or_fallback_or_attachments";
        return Err(Fault::new(code, format!("{place}: empty")));
    }
    check_blocks(attachment, &place)
}

fn check_blocks(owner: &Value, place: &str) -> Result<(), Fault> {
    let all = &owner["blocks"];
    let checked = match all.as_array() {
        Some(all) => blocks::check(all),
        None if all.is_null() => Ok(()),
        None => Err("blocks: no list".to_owned()),
    };
    checked.map_err(|why| Fault::new("invalid_blocks", format!("{place}{why}")))
}
