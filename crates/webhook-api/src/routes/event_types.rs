//! The catalogue of event types.

use actix_web::web::Json;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use webhook_domain::EventType;

use crate::refusals::Refusals;
use webhook_admin::schema;

/// All types of event.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventTypes {
    data: Vec<EventTypeBody>,
}

/// A type of event.
#[derive(Serialize, ToSchema)]
#[schema(as = EventType)]
pub(crate) struct EventTypeBody {
    #[schema(value_type = schema::EventTypeName)]
    r#type: &'static str,
    /// The part before the dot; `<group>.*` subscribes to all of it.
    group: &'static str,
    /// When it is sent.
    description: &'static str,
    // An example of an event's `data`.
    #[schema(value_type = schema::AnyObject, inline)]
    example: Value,
}

/// Lists the types of event, each with an example.
#[utoipa::path(
    get, path = "/api/v1/event-types", tag = "events",
    responses((status = 200, body = EventTypes), Refusals)
)]
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn list_event_types() -> Json<EventTypes> {
    let data = EventType::ALL.iter().map(|event_type| EventTypeBody {
        r#type: event_type.as_str(),
        group: event_type.group(),
        description: event_type.description(),
        example: serde_json::from_str(event_type.example())
            .expect("every example is JSON, a test of the catalogue proves it"),
    });
    let data = data.collect();
    Json(EventTypes { data })
}
