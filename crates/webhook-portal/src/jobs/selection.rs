//! The filters of a job's selection, in words.

use std::collections::HashMap;

use serde_json::Value;
use url::form_urlencoded::Serializer;
use webhook_domain::{FailureClass, JobKind, LastResponse, ResponseRange, WebhookId};

use crate::filters::label_of;

/// The name of a selection's end on the page.
pub(super) const UNTIL: &str = "Until";

/// The filters of a selection, each with the label of the page. A list cuts the end of a long selection:
/// the event types come last.
const NAMES: [(&str, &str); 10] = [
    ("status", "Status"),
    ("environment", "Environment"),
    ("webhook_id", "Webhook"),
    ("search", "Webhook name"),
    ("event_type", "Event type"),
    ("event_id", "Event"),
    ("response", "Response"),
    ("since", "Since"),
    ("until", UNTIL),
    ("event_types", "Event types"),
];

/// The filters that find deliveries after their retry as before: status and response change.
const OF_A_RETRY: &[&str] = &[
    "environment",
    "webhook_id",
    "search",
    "event_type",
    "event_id",
    "since",
    "until",
];

/// The filters that find the deliveries of a replay: the times of the selection are those of the events.
const OF_A_REPLAY: &[&str] = &["webhook_id"];

/// A filter of a job's selection.
pub(super) struct Fact {
    pub(super) name: &'static str,
    /// The value in words; a time in RFC 3339, for the filter `text_time`.
    pub(super) value: String,
    /// The address of the filtered webhook or event.
    pub(super) link: Option<String>,
}

/// The set filters of a selection. `names`: the names of webhooks, which are shown in place of their ids.
pub(super) fn facts(selection: &Value, names: &HashMap<WebhookId, String>) -> Vec<Fact> {
    let given = NAMES.iter().filter_map(|(field, name)| {
        let value = tell(field, selection.get(field)?)?;
        let (value, link) = match *field {
            "webhook_id" => {
                let link = format!("/admin/webhooks/{value}");
                let known = webhook_of(selection).and_then(|id| names.get(&id));
                (known.cloned().unwrap_or(value), Some(link))
            }
            "event_id" => {
                let link = format!("/admin/events/{value}");
                (value, Some(link))
            }
            _ => (value, None),
        };
        Some(Fact { name, value, link })
    });
    given.collect()
}

/// The address of the log, with the filters of a selection that find the job's deliveries afterwards.
pub(super) fn log_address(kind: JobKind, selection: &Value) -> String {
    let fields = match kind {
        JobKind::Retry => OF_A_RETRY,
        JobKind::Replay => OF_A_REPLAY,
    };
    let mut query = Serializer::new(String::new());
    for field in fields {
        if let Some(value) = selection.get(field).and_then(Value::as_str) {
            query.append_pair(field, value);
        }
    }
    format!("/admin/webhook-deliveries?{}", query.finish())
}

/// The filtered webhook of a selection.
pub(super) fn webhook_of(selection: &Value) -> Option<WebhookId> {
    selection.get("webhook_id")?.as_str()?.parse().ok()
}

fn tell(field: &str, value: &Value) -> Option<String> {
    match (field, value) {
        ("status" | "environment", Value::String(name)) => Some(label_of(name)),
        ("response", Value::Array(_)) => {
            let [first, last] = serde_json::from_value(value.clone()).ok()?;
            Some(answers(ResponseRange { first, last }))
        }
        (_, Value::String(text)) => Some(text.clone()),
        (_, Value::Array(items)) if !items.is_empty() => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Some(items.join(", "))
        }
        _ => None,
    }
}

/// A range of responses in the form of the API's filter: `5xx`.
fn answers(range: ResponseRange) -> String {
    if range.last > range.first {
        return format!("{}xx", range.first / 100);
    }
    match LastResponse::from_code(range.first) {
        LastResponse::Nothing => "None yet".to_owned(),
        LastResponse::Status(status) => status.to_string(),
        LastResponse::Failure(class) => label_of(FailureClass::as_str(class)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn a_selection_is_told_as_it_was_asked_for() {
        let selection = json!({"status": "failed", "environment": null, "response": [500, 599],
            "event_types": ["license.created", "license.deleted"], "search": "CRM",
            "until": "2026-11-23T08:15:30.123456Z"});

        let facts = facts(&selection, &HashMap::new());

        let told = facts.iter().map(|fact| (fact.name, fact.value.as_str()));
        let expected = [
            ("Status", "Failed"),
            ("Webhook name", "CRM"),
            ("Response", "5xx"),
            ("Until", "2026-11-23T08:15:30.123456Z"),
            ("Event types", "license.created, license.deleted"),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_log_of_a_job_is_asked_without_what_the_job_changes() {
        let selection = json!({"status": "failed", "environment": "staging", "response": [500, 599],
            "search": null, "until": "2026-11-23T08:15:30Z"});

        let expected =
            "/admin/webhook-deliveries?environment=staging&until=2026-11-23T08%3A15%3A30Z";
        assert_eq!(log_address(JobKind::Retry, &selection), expected);
        let of_a_replay = "/admin/webhook-deliveries?";
        assert_eq!(log_address(JobKind::Replay, &selection), of_a_replay);
    }

    #[test]
    fn a_webhook_is_told_by_its_name() {
        let id = WebhookId(Uuid::from_u128(7));
        let selection = json!({"webhook_id": id});
        let names = HashMap::from([(id, "CRM".to_owned())]);

        let told = |names| facts(&selection, names)[0].value.clone();

        assert_eq!(told(&names), "CRM");
        assert_eq!(told(&HashMap::new()), id.to_string());
    }

    #[test]
    fn each_kind_of_answer_is_told() {
        let told = |first| answers(ResponseRange { first, last: first });

        assert_eq!(
            [told(0), told(503), told(4)],
            ["None yet", "503", "Timeout"]
        );
    }
}
