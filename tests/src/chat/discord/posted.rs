use chrono::Utc;
use serde_json::{Value, json};

use crate::chat::json::{is_blank, items};

/// The answer to a request with `?wait=true`: the message in the channel, the `number`th from 0.
pub(super) fn shown(message: &Value, webhook_id: u64, number: usize) -> Value {
    let content = message["content"].as_str().unwrap_or_default();
    json!({
        "id": format!("{}", webhook_id + 1 + number as u64),
        "type": 0,
        "content": content,
        "embeds": items(&message["embeds"]),
        "channel_id": webhook_id.to_string(),
        "webhook_id": webhook_id.to_string(),
        "timestamp": Utc::now().to_rfc3339(),
    })
}

/// The mentions that notify people: those in `content`, unless `allowed_mentions` has an empty `parse`
/// and names no person and no role. Mentions in embeds notify nobody.
pub(super) fn mentions(message: &Value) -> Vec<String> {
    let allowed = &message["allowed_mentions"];
    let none_parsed = allowed["parse"].as_array().is_some_and(Vec::is_empty);
    if none_parsed && is_blank(&allowed["users"]) && is_blank(&allowed["roles"]) {
        return Vec::new();
    }
    let content = message["content"].as_str().unwrap_or_default();
    let all = ["@everyone", "@here"].into_iter();
    let all = all
        .flat_map(|name| content.matches(name))
        .map(str::to_owned);
    all.chain(named(content)).collect()
}

/// Mentions of a person (`<@1>`, `<@!1>`) or a role (`<@&1>`).
fn named(content: &str) -> impl Iterator<Item = String> {
    let inner = content.split("<@").skip(1);
    let inner = inner.filter_map(|rest| rest.split_once('>'));
    let ids = inner.filter(|(inner, _)| {
        let id = inner.trim_start_matches(['!', '&']);
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
    });
    ids.map(|(inner, _)| format!("<@{inner}>"))
}
