//! Publishes an event.

use bytes::Bytes;
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_broker::Publisher;
use webhook_domain::{AssignedFields, Event, EventError, EventId, TraceContext};

use crate::refusal::Refusal;
use crate::schema;

/// An event to be published, at most 256 KiB.
///
/// Only the schema of a request. [`Event`] reads the fields and keeps the bytes as they were sent.
#[derive(ToSchema)]
#[allow(
    missing_docs,
    reason = "a doc would wrap the inlined schema of a field in an `allOf`"
)]
#[schema(description = "An event to be published, at most 256 KiB.")]
pub struct PublishEvent {
    /// Identifies the event for ever: send the same id again to repeat safely. Upper and lower case are
    /// the same id, and receivers get it in lower case as `webhook-id`. Assigned when left out.
    #[schema(nullable = false)]
    pub id: Option<Uuid>,
    #[schema(value_type = schema::EventTypeName, inline)]
    pub r#type: String,
    #[schema(value_type = schema::EnvironmentName, inline)]
    pub environment: String,
    /// When the event happened (RFC 3339, with a year of 0000 to 9999 in UTC; `t`, `z`, a space for `T`
    /// and a leap second are taken); now when left out. The text is carried through unchanged.
    #[schema(nullable = false)]
    pub timestamp: Option<chrono::DateTime<Utc>>,
    // The fields of the event's type, carried through untouched.
    #[schema(value_type = schema::AnyObject, inline, example = json!({"license_id": "lic_42", "seats": 5}))]
    pub data: serde_json::Value,
}

/// An event confirmed by the broker.
#[derive(Serialize, ToSchema)]
pub struct AcceptedEvent {
    /// The event's id.
    #[schema(value_type = Uuid)]
    pub id: EventId,
    /// `accepted`
    #[schema(value_type = String)]
    pub status: PublishStatus,
}

/// The result of publishing an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishStatus {
    /// The broker has confirmed the event.
    Accepted,
    /// The event is wrong.
    Refused,
    /// The broker has not confirmed the event; the publisher sends the event again.
    Unavailable,
}

/// Publishes an event at a place in a trace, and returns after the broker's confirmation: the event will not be lost.
pub async fn publish_event(
    body: Bytes,
    trace: Option<TraceContext>,
    publisher: &Publisher,
) -> Result<AcceptedEvent, Refusal> {
    let event = parse_event(body)?.in_trace(trace);
    publisher.publish(&event).await?;
    Ok(AcceptedEvent {
        id: event.id,
        status: PublishStatus::Accepted,
    })
}

/// Reads an event, which shares the bytes of `body`. A missing id or timestamp is assigned.
pub(super) fn parse_event(body: Bytes) -> Result<Event, EventError> {
    let assigned = AssignedFields {
        id: EventId(Uuid::now_v7()),
        timestamp: Utc::now(),
    };
    Event::parse_assigning(body, assigned)
}
