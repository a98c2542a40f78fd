//! The description of the messages on RabbitMQ, as an AsyncAPI 3 document: events that services of
//! the platform publish, and status events that services may consume.

use serde_json::{Map, Value, json};
use webhook_broker::topology::{EVENTS_EXCHANGE, STATUS_EXCHANGE};
use webhook_domain::{Environment, EventType, MAX_EVENT_BYTES, Named, StatusEventType};

use crate::event_schemas::{EVENT_ID, event_example, event_schema};

/// The description as JSON text, as checked in.
pub fn asyncapi_document() -> String {
    let json = serde_json::to_string_pretty(&document());
    json.expect("the description is JSON") + "\n"
}

fn document() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Webhooks over RabbitMQ",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0" },
            "description": "Services of the platform publish events to one exchange and consume status events from \
                another. Publish with confirms, `mandatory` and persistent messages: a confirmed event is never lost."
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": channel(EVENTS_EXCHANGE, "An event of the platform.", &messages(event_names())),
            "status": channel(STATUS_EXCHANGE, "A change of a webhook or a delivery.", &messages(status_names()))
        },
        "operations": {
            "receiveEvent": {
                "action": "receive",
                "channel": { "$ref": "#/channels/events" },
                "summary": "A service publishes an event",
                "description": format!(
                    "The routing key is `<environment>.<type>`, as the body says. A message of more than {MAX_EVENT_BYTES} \
                     bytes, or with another body than the schema's, is rejected and kept for an admin. An event whose \
                     `id` was published before is delivered once."
                )
            },
            "sendStatusEvent": {
                "action": "send",
                "channel": { "$ref": "#/channels/status" },
                "summary": "A service consumes a status event",
                "description": "Bind a queue of your own. A status event may arrive more than once: drop repeats by `id`."
            }
        },
        "components": { "messages": all_messages(), "schemas": { "Environment": environments() } }
    })
}

fn channel(exchange: &str, description: &str, messages: &Value) -> Value {
    json!({
        "address": "{environment}.{type}",
        "description": description,
        "parameters": {
            "environment": { "enum": names(Environment::ALL), "description": "The environment." },
            "type": { "description": "The type of the message, such as `license.activated`." }
        },
        "bindings": { "amqp": {
            "is": "routingKey",
            "exchange": { "name": exchange, "type": "topic", "durable": true, "autoDelete": false, "vhost": "/" },
            "bindingVersion": "0.3.0"
        } },
        "messages": messages
    })
}

fn event_names() -> Vec<&'static str> {
    names(EventType::ALL)
}

fn status_names() -> Vec<&'static str> {
    names(StatusEventType::ALL)
}

fn names<T: Named>(all: &[T]) -> Vec<&'static str> {
    all.iter().map(|name| name.as_str()).collect()
}

/// References to messages. The name of a message in the document has no dot.
fn messages(names: Vec<&str>) -> Value {
    let references = names.into_iter().map(|name| {
        let name = name.replace('.', "_");
        let reference = json!({ "$ref": format!("#/components/messages/{name}") });
        (name, reference)
    });
    Value::Object(references.collect())
}

fn all_messages() -> Map<String, Value> {
    let environment = json!({ "$ref": "#/components/schemas/Environment" });
    let events = EventType::ALL.iter().map(|event_type| {
        let payload = event_schema(*event_type, &environment);
        let title = event_type.description();
        message(
            event_type.as_str(),
            title,
            &payload,
            &event_example(*event_type),
        )
    });
    let statuses = StatusEventType::ALL.iter().map(|status_type| {
        let payload = status_schema(*status_type, &environment);
        let title = meaning(*status_type);
        message(
            status_type.as_str(),
            title,
            &payload,
            &status_example(*status_type),
        )
    });
    events.chain(statuses).collect()
}

fn message(name: &str, title: &str, payload: &Value, example: &Value) -> (String, Value) {
    let message = json!({
        "name": name, "title": title.trim_end_matches('.'), "contentType": "application/json",
        "payload": payload, "examples": [{ "payload": example }]
    });
    (name.replace('.', "_"), message)
}

/// One sentence: what happened when a status event is sent.
fn meaning(status_type: StatusEventType) -> &'static str {
    match status_type {
        StatusEventType::WebhookWarning => {
            "A webhook has only failed for half of the time until it is set Inactive."
        }
        StatusEventType::WebhookDisabled => "A webhook was set Inactive by the platform.",
        StatusEventType::WebhookEnabled => "A webhook that was Inactive is Active again.",
        StatusEventType::DeliveryExhausted => "A delivery has failed and gets no further attempt.",
    }
}

fn status_schema(status_type: StatusEventType, environment: &Value) -> Value {
    let uuid = || json!({ "type": "string", "format": "uuid" });
    let mut required = vec![
        "id",
        "type",
        "environment",
        "timestamp",
        "webhook_id",
        "reason",
    ];
    let mut properties = json!({
        "id": uuid(), "type": { "type": "string", "const": status_type }, "environment": environment,
        "timestamp": { "type": "string", "format": "date-time" }, "webhook_id": uuid(),
        "reason": { "type": "string", "description": "The reason, in words." }
    });
    if status_type == StatusEventType::DeliveryExhausted {
        required.push("delivery");
        properties["delivery"] = json!({
            "type": "object",
            "required": ["id", "event_id", "event_type", "attempts"],
            "properties": {
                "id": uuid(), "event_id": uuid(), "event_type": { "type": "string", "enum": event_names() },
                "attempts": { "type": "integer", "minimum": 1 }
            }
        });
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

fn status_example(status_type: StatusEventType) -> Value {
    let mut example = json!({
        "id": "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d61", "type": status_type, "environment": "production",
        "timestamp": "2026-11-23T08:15:30.123Z", "webhook_id": "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5f",
        "reason": "the receiver answered 410 Gone"
    });
    if status_type == StatusEventType::DeliveryExhausted {
        example["delivery"] = json!({
            "id": "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d60", "event_id": EVENT_ID,
            "event_type": "license.activated", "attempts": 12
        });
    }
    example
}

fn environments() -> Value {
    json!({ "type": "string", "enum": names(Environment::ALL), "description": "The environment of the platform." })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_that_is_checked_in_is_what_the_code_says() {
        let checked_in = include_str!("../asyncapi.json");

        assert!(
            checked_in == asyncapi_document(),
            "write the document anew: cargo run --bin webhook-api asyncapi > crates/webhook-api/asyncapi.json"
        );
    }

    #[test]
    fn every_example_has_the_required_fields_of_its_message() {
        let messages = all_messages();

        assert_eq!(
            messages.len(),
            EventType::ALL.len() + StatusEventType::ALL.len()
        );
        for (name, message) in messages {
            let example = &message["examples"][0]["payload"];
            let required = message["payload"]["required"].as_array().expect("a list");
            for field in required.iter().filter_map(Value::as_str) {
                assert!(example.get(field).is_some(), "{name}: {field}");
            }
        }
    }
}
