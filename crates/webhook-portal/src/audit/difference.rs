//! The differences between two JSON values, field by field, in words.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use webhook_domain::Format;

use crate::duration_text;
use crate::filters::{group, label_of};

/// A changed field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The field's name: `Retry policy: max attempts`.
    pub(crate) field: String,
    /// The value before the change. `None`: no value.
    pub(crate) before: Option<String>,
    /// The value after the change. `None`: no value.
    pub(crate) after: Option<String>,
}

/// Lists the changed fields.
pub(crate) fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(
    field: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    let (old, new) = (parts(before), parts(after));
    // A plain value beside an object, such as a limit per second beside one per minute, is one change.
    let is_plain = |value: Option<&Value>| value.is_some_and(|v| !v.is_null() && !v.is_object());
    if (old.is_none() && new.is_none()) || is_plain(before) || is_plain(after) {
        if before != after {
            let text = |value| in_words(field, value);
            found.push(Difference {
                field: label(field),
                before: before.map(text),
                after: after.map(text),
            });
        }
        return;
    }
    let keys = [old, new].into_iter().flatten().flat_map(Map::keys);
    for key in keys.collect::<BTreeSet<_>>() {
        let inner = if field.is_empty() {
            key.clone()
        } else {
            format!("{field}: {key}")
        };
        let (old, new) = (
            old.and_then(|old| old.get(key)),
            new.and_then(|new| new.get(key)),
        );
        compare(&inner, old, new, found);
    }
}

fn parts(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

fn label(field: &str) -> String {
    let plain = field.strip_suffix("_ms").unwrap_or(field);
    label_of(plain)
}

fn in_words(field: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => match number.as_u64() {
            Some(millis) if field.ends_with("_ms") => duration_text::in_words(millis),
            Some(whole) => i64::try_from(whole).map_or_else(|_| number.to_string(), group),
            None => number.to_string(),
        },
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => match text.parse::<Format>() {
            Ok(format) if field == "format" => format.label().to_owned(),
            Ok(_) | Err(_) => text.clone(),
        },
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => {
            let items = items.iter().map(|item| in_words(field, item));
            items.collect::<Vec<_>>().join(", ")
        }
        Value::Object(limit) => match (limit.get("requests"), limit.get("per")) {
            (Some(requests), Some(Value::String(period))) => format!("{requests} per {period}"),
            _ => value.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
        let found = differences(before, after);
        let lines = found.into_iter().map(|difference| {
            let side = |side: Option<String>| side.unwrap_or("-".to_owned());
            let (before, after) = (side(difference.before), side(difference.after));
            format!("{}: {before} → {after}", difference.field)
        });
        lines.collect()
    }

    #[test]
    fn a_limit_per_minute_beside_a_number_is_one_change() {
        let before = json!({"rate_limit": {"requests": 25, "per": "minute"}});
        let after = json!({"rate_limit": 50});

        let told = told(Some(&before), Some(&after));

        assert_eq!(told, ["Rate limit: 25 per minute → 50"]);
    }

    #[test]
    fn each_field_that_differs_is_told_in_words() {
        let before = json!({"name": "CRM", "timeout_ms": null, "event_types": ["license.*"],
            "retry_policy": {"max_attempts": 12, "max_interval_ms": 43_200_000}});
        let after = json!({"name": "CRM", "timeout_ms": 15_000, "event_types": ["*", "license.*"],
            "retry_policy": {"max_attempts": 3, "max_interval_ms": 43_200_000}});

        assert_eq!(
            told(Some(&before), Some(&after)),
            [
                "Event types: license.* → *, license.*",
                "Retry policy: max attempts: 12 → 3",
                "Timeout: none → 15 seconds"
            ]
        );
    }

    #[test]
    fn what_came_or_went_has_one_side() {
        let metadata = json!({"metadata": {"team": "billing"}, "active": true});

        assert_eq!(
            told(None, Some(&metadata)),
            ["Active: - → yes", "Metadata: team: - → billing"]
        );
        assert_eq!(
            told(Some(&json!({"rate": 1_200})), None),
            ["Rate: 1,200 → -"]
        );
        assert_eq!(
            told(
                Some(&json!({"retry_policy": null})),
                Some(&json!({"retry_policy": {"jitter": 0.5}}))
            ),
            ["Retry policy: jitter: - → 0.5"]
        );
    }
}
