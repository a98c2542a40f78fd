//! Discord's check of a message. All faults of a body are found, each with its place.

use chrono::DateTime;
use serde_json::{Value, json};

use crate::chat::json::{is_blank, is_web_url, items, length};

const MAX_CONTENT: usize = 2_000;
const MAX_EMBEDS: usize = 10;
/// Characters of all embeds of a message together.
const MAX_EMBEDDED: usize = 6_000;
const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 4_096;
const MAX_FIELDS: usize = 25;
const MAX_FIELD_NAME: usize = 256;
const MAX_FIELD_VALUE: usize = 1_024;
const MAX_FOOTER: usize = 2_048;
const MAX_AUTHOR: usize = 256;
/// The largest colour, `#FFFFFF`.
const MAX_COLOR: u64 = 0xFF_FFFF;

/// The message of a request's body, which is `None` where the body is no JSON; or Discord's error as JSON.
pub(super) fn read(body: Option<Value>) -> Result<Value, Value> {
    let Some(message) = body.filter(Value::is_object) else {
        let message = "The request body contains invalid JSON.";
        return Err(json!({"code": 50_109, "message": message}));
    };
    let mut faults = Faults::default();
    check_message(&message, &mut faults);
    if !faults.0.is_null() {
        let errors = faults.0;
        return Err(json!({"code": 50_035, "message": "Invalid Form Body", "errors": errors}));
    }
    if is_blank(&message["content"]) && is_blank(&message["embeds"]) {
        return Err(json!({"code": 50_006, "message": "Cannot send an empty message"}));
    }
    Ok(message)
}

/// The faults of a message, nested by place as in Discord's response; `null` without any.
#[derive(Default)]
struct Faults(Value);

impl Faults {
    /// Adds a fault at a place such as `embeds.0.title`.
    fn add(&mut self, place: &str, code: &str, message: &str) {
        let parts = place.split('.');
        let at = parts.fold(&mut self.0, |outer, part| &mut outer[part]);
        at["_errors"] = json!([{"code": code, "message": message}]);
    }

    fn at_most(&mut self, place: &str, count: usize, max: usize) {
        if count > max {
            let message = format!("Must be {max} or fewer in length.");
            self.add(place, "BASE_TYPE_MAX_LENGTH", &message);
        }
    }

    /// Checks a text, and returns its length.
    fn text(&mut self, place: &str, text: &Value, max: usize) -> usize {
        match text {
            Value::Null => 0,
            Value::String(text) => {
                self.at_most(place, length(text), max);
                length(text)
            }
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.add(
                    place,
                    "STRING_TYPE_CONVERT",
                    "Could not interpret as string.",
                );
                0
            }
        }
    }

    /// Checks a text that must be there and visible, and returns its length.
    fn required(&mut self, place: &str, text: &Value, max: usize) -> usize {
        if is_blank(text) {
            self.missing(place);
        }
        self.text(place, text, max)
    }

    fn missing(&mut self, place: &str) {
        self.add(place, "BASE_TYPE_REQUIRED", "This field is required");
    }

    /// Checks a list, and returns its items.
    fn list<'a>(&mut self, place: &str, list: &'a Value, max: usize) -> &'a [Value] {
        if !list.is_null() && !list.is_array() {
            self.add(place, "LIST_TYPE_CONVERT", "Only iterables may be used.");
        }
        self.at_most(place, items(list).len(), max);
        items(list)
    }

    fn url(&mut self, place: &str, url: &Value) {
        if !url.is_null() && !is_web_url(url) {
            let message = "Not a well formed URL.";
            self.add(place, "URL_TYPE_INVALID_URL", message);
        }
    }
}

fn check_message(message: &Value, faults: &mut Faults) {
    faults.text("content", &message["content"], MAX_CONTENT);
    let embeds = faults.list("embeds", &message["embeds"], MAX_EMBEDS);
    let lengths = embeds.iter().enumerate();
    let lengths =
        lengths.map(|(number, embed)| check_embed(embed, &format!("embeds.{number}"), faults));
    let embedded: usize = lengths.sum();
    if embedded > MAX_EMBEDDED {
        let message = format!("Embed size exceeds maximum size of {MAX_EMBEDDED}");
        faults.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", &message);
    }
}

/// Checks an embed, and returns the characters that count towards [`MAX_EMBEDDED`].
fn check_embed(embed: &Value, place: &str, faults: &mut Faults) -> usize {
    let at = |part: &str| format!("{place}.{part}");
    check_form(embed, place, faults);
    let title = faults.text(&at("title"), &embed["title"], MAX_TITLE);
    let description = faults.text(&at("description"), &embed["description"], MAX_DESCRIPTION);
    let fields = faults.list(&at("fields"), &embed["fields"], MAX_FIELDS);
    let fields = fields.iter().enumerate();
    let fields: usize = fields
        .map(|(number, field)| check_field(field, &at(&format!("fields.{number}")), faults))
        .sum();
    let mut named = |part: &str, name: &str, max: usize| {
        let object = &embed[part];
        if object.is_null() {
            return 0;
        }
        faults.required(&at(&format!("{part}.{name}")), &object[name], max)
    };
    let footer = named("footer", "text", MAX_FOOTER);
    let author = named("author", "name", MAX_AUTHOR);
    title + description + fields + footer + author
}

fn check_field(field: &Value, place: &str, faults: &mut Faults) -> usize {
    let name = faults.required(&format!("{place}.name"), &field["name"], MAX_FIELD_NAME);
    let value = faults.required(&format!("{place}.value"), &field["value"], MAX_FIELD_VALUE);
    name + value
}

/// Checks the parts of an embed that have no length.
fn check_form(embed: &Value, place: &str, faults: &mut Faults) {
    let shown = [
        "title",
        "description",
        "fields",
        "footer",
        "author",
        "image",
        "thumbnail",
    ];
    if shown.iter().all(|part| is_blank(&embed[*part])) {
        faults.missing(place);
    }
    faults.url(&format!("{place}.url"), &embed["url"]);
    for part in ["image", "thumbnail"] {
        faults.url(&format!("{place}.{part}.url"), &embed[part]["url"]);
    }
    let color = &embed["color"];
    if !color.is_null() && color.as_u64().is_none_or(|color| color > MAX_COLOR) {
        let message = format!("int value should be between 0 and {MAX_COLOR}.");
        faults.add(&format!("{place}.color"), "NUMBER_TYPE_MAX", &message);
    }
    let at = &embed["timestamp"];
    let is_time = |text: &str| DateTime::parse_from_rfc3339(text).is_ok();
    if !at.is_null() && !at.as_str().is_some_and(is_time) {
        let message = format!("Could not parse {at}. Should be ISO8601.");
        faults.add(
            &format!("{place}.timestamp"),
            "DATE_TIME_TYPE_PARSE",
            &message,
        );
    }
}
