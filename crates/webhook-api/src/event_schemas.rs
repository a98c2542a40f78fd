//! JSON schemas of events, for the description of the API and for the description of the messages.

use serde_json::{Map, Value, json};
use webhook_domain::EventType;

/// The event's id in the examples.
pub(crate) const EVENT_ID: &str = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e";

/// The time of the event in the examples.
const TIMESTAMP: &str = "2026-11-23T08:15:30.123Z";

/// The schema of an event. `environment`: the schema of the field.
pub(crate) fn event_schema(event_type: EventType, environment: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["id", "type", "environment", "timestamp", "data"],
        "properties": {
            "id": { "type": "string", "format": "uuid", "description": "The event's id, as published." },
            "type": { "type": "string", "const": event_type, "description": "The type of the event." },
            "environment": environment,
            "timestamp": { "type": "string", "format": "date-time", "description": "When the event happened." },
            "data": data_schema(event_type),
            "test": {
                "type": "object",
                "required": ["webhook_id"],
                "properties": { "webhook_id": { "type": "string", "format": "uuid" } },
                "description": "The webhook of a test event; left out in all other events."
            }
        }
    })
}

/// An example of an event.
pub(crate) fn event_example(event_type: EventType) -> Value {
    json!({
        "id": EVENT_ID, "type": event_type, "environment": "production", "timestamp": TIMESTAMP,
        "data": data_example(event_type)
    })
}

fn data_example(event_type: EventType) -> Value {
    let data = serde_json::from_str(event_type.example());
    data.expect("every example is JSON, a test of the catalogue proves it")
}

/// The schema of `data`, with the fields of the catalogue's example. No field is required: publishers decide on
/// `data`, and add fields.
fn data_schema(event_type: EventType) -> Value {
    let mut schema = schema_of(&data_example(event_type));
    schema["description"] =
        "The objects of the event. Publishers may add fields and leave fields out.".into();
    schema
}

/// The schema of an example's values.
fn schema_of(example: &Value) -> Value {
    match example {
        Value::Object(fields) => {
            let properties = fields
                .iter()
                .map(|(name, value)| (name.clone(), schema_of(value)));
            let properties: Map<String, Value> = properties.collect();
            json!({ "type": "object", "additionalProperties": true, "properties": properties })
        }
        Value::Array(elements) => {
            let elements = elements.first().map_or(json!({}), schema_of);
            json!({ "type": "array", "items": elements })
        }
        Value::String(text) if is_time(text) => json!({ "type": "string", "format": "date-time" }),
        Value::String(_) => json!({ "type": "string" }),
        Value::Number(number) if number.is_f64() => json!({ "type": "number" }),
        Value::Number(_) => json!({ "type": "integer" }),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Null => json!({}),
    }
}

fn is_time(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_data_have_the_types_of_the_example() {
        let data = data_schema(EventType::LicenseCreated);

        assert_eq!(data["properties"]["seats"], json!({ "type": "integer" }));
        assert_eq!(
            data["properties"]["expires_at"],
            json!({ "type": "string", "format": "date-time" })
        );
        let changed = &data_schema(EventType::LicenseUpdated)["properties"]["changed"];
        assert_eq!(changed["items"], json!({ "type": "string" }));
    }
}
