//! The catalogue of event types.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use webhook_domain::EventType;

use crate::schema;

/// All event types.
#[derive(Serialize, ToSchema)]
pub struct EventTypes {
    /// The event types, in the order of their groups.
    pub data: Vec<EventTypeBody>,
}

/// An event type.
#[derive(Serialize, ToSchema)]
#[schema(as = EventType)]
pub struct EventTypeBody {
    /// The name of the type.
    #[schema(value_type = schema::EventTypeName)]
    pub r#type: EventType,
    /// The part of the name before the dot; `<group>.*` subscribes to the whole group.
    pub group: &'static str,
    /// When an event of the type is published.
    pub description: &'static str,
    // An example of the `data` of an event. A doc would wrap the inlined schema in an `allOf`.
    #[schema(value_type = schema::AnyObject, inline)]
    example: Value,
}

/// Lists the event types, each with an example.
pub fn list_event_types() -> EventTypes {
    let data = EventType::ALL.iter().map(|event_type| EventTypeBody {
        r#type: *event_type,
        group: event_type.group(),
        description: event_type.description(),
        example: serde_json::from_str(event_type.example())
            .expect("every example is JSON, as a test of the catalogue proves"),
    });
    let data = data.collect();
    EventTypes { data }
}
