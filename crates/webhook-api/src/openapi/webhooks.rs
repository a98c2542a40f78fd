//! The requests that the receiver of a webhook with the format `json` gets: the section `webhooks` of the document, one entry for each event type.

use serde_json::{Map, Value, json};
use webhook_domain::EventType;

use super::document::COMPONENTS;
use crate::event_schemas::{EVENT_ID, event_example, event_schema};

/// The headers of every request: name, example, meaning.
const HEADERS: [(&str, &str, &str); 9] = [
    (
        "X-Webhook-Signature",
        "t=1795421730,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
        "The time of sending and an HMAC-SHA256 of `<t>.<body>`; several `v1` while a secret is replaced.",
    ),
    (
        "webhook-id",
        EVENT_ID,
        "The event's id, the same in every attempt: drop repeats by this header.",
    ),
    (
        "webhook-timestamp",
        "1795421730",
        "The time of sending, in Unix seconds.",
    ),
    (
        "webhook-signature",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        "The signature of Standard Webhooks; several with a space between while a secret is replaced.",
    ),
    (
        "X-Webhook-Event",
        "license.activated",
        "The type of the event.",
    ),
    (
        "X-Webhook-Environment",
        "production",
        "The environment of the event.",
    ),
    (
        "X-Webhook-Delivery",
        "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d60",
        "The id of the delivery.",
    ),
    (
        "X-Webhook-Attempt",
        "1",
        "The number of the attempt, from 1.",
    ),
    (
        TRACE_PARENT,
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "The place in the trace that the event's publisher named (W3C Trace Context); missing without a trace.",
    ),
];

/// The only header that a request may lack.
const TRACE_PARENT: &str = "traceparent";

/// Adds the requests, with their headers described once.
pub(super) fn describe_webhooks(description: &mut Value) {
    let headers =
        HEADERS.map(|(name, example, meaning)| (name.to_owned(), header(name, example, meaning)));
    description["components"]["parameters"] = Value::Object(headers.into_iter().collect());
    let requests = EventType::ALL.iter().map(|event_type| {
        let request = json!({ "post": request(*event_type) });
        (event_type.to_string(), request)
    });
    description["webhooks"] = Value::Object(requests.collect::<Map<_, _>>());
}

fn header(name: &str, example: &str, meaning: &str) -> Value {
    json!({
        "name": name, "in": "header", "required": name != TRACE_PARENT, "description": meaning,
        "schema": { "type": "string" }, "example": example
    })
}

fn request(event_type: EventType) -> Value {
    let headers =
        HEADERS.map(|(name, ..)| json!({ "$ref": format!("#/components/parameters/{name}") }));
    let name = event_type.as_str();
    let environment = json!({ "$ref": format!("{COMPONENTS}EnvironmentName") });
    let schema = event_schema(event_type, &environment);
    json!({
        "operationId": format!("receive_{}", name.replace('.', "_")),
        "summary": event_type.description().trim_end_matches('.'),
        "tags": ["Event types"],
        "parameters": headers,
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": schema, "example": event_example(event_type) } }
        },
        "responses": {
            "2XX": { "description": "The delivery has succeeded." },
            "410": { "description": "The webhook is set Inactive." },
            "429": { "description": "No request is sent before the time of `Retry-After`." },
            "default": { "description": "The attempt has failed, and is repeated by the retry policy." }
        },
        // The receiver checks the signature; nothing else proves the sender.
        "security": []
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_21_types_is_a_webhook_of_the_document_with_its_own_example() {
        let mut description = json!({});

        describe_webhooks(&mut description);

        let webhooks = description["webhooks"].as_object().expect("webhooks");
        assert_eq!(webhooks.len(), 21);
        for (name, webhook) in webhooks {
            let body = &webhook["post"]["requestBody"]["content"]["application/json"];
            assert_eq!(body["example"]["type"], **name);
            assert_eq!(body["schema"]["properties"]["type"]["const"], **name);
        }
    }
}
