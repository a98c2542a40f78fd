//! Examples of request and response bodies, which agree with each other: one webhook, its events and
//! the deliveries of the webhook go through all examples.

use serde_json::{Map, Value};
use webhook_admin::event_types::list_event_types;

use super::document::{name_of, operations};

/// The examples by the schema of the body, `<schema>`, or `<schema> <status>` for a single response. A body
/// that is no JSON has no named schema: its example stands by the operation's id.
const FILES: [&str; 4] = [
    include_str!("examples/webhooks.json"),
    include_str!("examples/deliveries.json"),
    include_str!("examples/events.json"),
    include_str!("examples/platform.json"),
];

/// Gives every body of a request or response the example of its schema.
pub(super) fn add_examples(description: &mut Value) {
    let examples = examples();
    for (_, operation) in operations(description) {
        let id = operation["operationId"].clone();
        for (status, media_type) in bodies(operation) {
            let name = name_of(&media_type["schema"]).or_else(|| id.as_str());
            let name = name.unwrap_or_default();
            let of_status = examples.get(&format!("{name} {status}"));
            if let Some(example) = of_status.or_else(|| examples.get(name)) {
                media_type["example"] = example.clone();
            }
        }
    }
}

fn examples() -> Map<String, Value> {
    let files = FILES.map(serde_json::from_str::<Map<String, Value>>);
    let mut examples: Map<String, Value> = files
        .into_iter()
        .flat_map(|file| file.expect("every file of examples is a JSON object"))
        .collect();
    // The catalogue is the same for all installations: its example is the response itself.
    let catalogue = serde_json::to_value(list_event_types()).expect("event types are JSON");
    examples.insert("EventTypes".to_owned(), catalogue);
    examples
}

/// The media types of an operation's request and of its responses, each with the status of its response;
/// refusals have examples of their own.
fn bodies(operation: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    let operation = operation.as_object_mut().into_iter().flatten();
    operation.flat_map(|(part, value)| {
        let bodies: Vec<(String, &mut Value)> = match part.as_str() {
            "requestBody" => vec![(String::new(), value)],
            "responses" => entries(value)
                .filter(|(_, response)| response.get("$ref").is_none())
                .collect(),
            _ => Vec::new(),
        };
        bodies.into_iter().flat_map(|(status, body)| {
            let media_types = body.get_mut("content").into_iter().flat_map(entries);
            media_types.map(move |(_, media_type)| (status.clone(), media_type))
        })
    })
}

fn entries(object: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    let fields = object.as_object_mut().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_body_has_an_example_and_every_example_a_body() {
        let mut description = crate::openapi::description();
        let mut used = BTreeSet::new();

        for (operation, parts) in operations(&mut description) {
            let id = parts["operationId"].clone();
            for (status, media_type) in bodies(parts) {
                let name = name_of(&media_type["schema"]).or_else(|| id.as_str());
                let name = name.expect("an id").to_owned();
                let example = media_type.get("example");
                assert!(example.is_some(), "{operation}: {name} has no example");
                used.extend([format!("{name} {status}"), name]);
            }
        }

        let unused: Vec<String> = examples().into_iter().map(|(name, _)| name).collect();
        let unused: Vec<_> = unused.iter().filter(|name| !used.contains(*name)).collect();
        assert_eq!(unused, Vec::<&String>::new());
    }

    #[test]
    fn the_example_of_a_new_webhook_does_no_harm() {
        let example = &examples()["CreateWebhook"];

        assert_eq!(example["environment"], "development");
        assert_eq!(example["status"], "inactive");
        assert!(example.get("secret").is_none() && example.get("ordering_key").is_none());
        assert_eq!(example["headers"].as_object().map(Map::len), Some(1));
    }

    #[test]
    fn the_examples_tell_of_one_webhook() {
        let examples = examples();
        let webhook = &examples["Webhook"];

        assert_eq!(examples["CreatedWebhook"]["id"], webhook["id"]);
        assert_eq!(examples["WebhookPage"]["data"][0]["id"], webhook["id"]);
        for setting in ["name", "url", "environment", "event_types", "description"] {
            assert_eq!(
                examples["CreateWebhook"][setting],
                examples["CreatedWebhook"][setting]
            );
        }
        for name in ["Delivery", "DeliveryWithAttempts"] {
            assert_eq!(examples[name]["webhook_id"], webhook["id"], "{name}");
        }
    }
}
