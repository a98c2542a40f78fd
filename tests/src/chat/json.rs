use serde_json::Value;
use url::Url;

use crate::receiver::Received;

/// The body of a request that says `Content-Type: application/json` and is JSON.
pub(super) fn body_of(request: &Received) -> Option<Value> {
    let content_type = request.headers.get("content-type")?;
    let essence = content_type.split(';').next()?.trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return None;
    }
    serde_json::from_slice(&request.body).ok()
}

/// The number of characters (Unicode scalar values).
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

/// Whether a field is absent, `null`, a blank text or an empty list.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// The items of a list; none where the value is no list.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether the value is an absolute URL with the scheme `http` or `https`.
pub(super) fn is_web_url(value: &Value) -> bool {
    let url = value.as_str().and_then(|text| Url::parse(text).ok());
    url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Every text in a value, at any depth, names of fields left out.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
