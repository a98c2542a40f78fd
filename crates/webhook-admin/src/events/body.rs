//! An event as the API shows it in lists.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{Environment, EventId, EventType, WebhookId};
use webhook_store::events::EventRow;

use crate::schema;

/// A received event.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventBody {
    /// The event's id.
    #[schema(value_type = Uuid)]
    pub id: EventId,
    /// The event's type.
    #[schema(value_type = schema::EventTypeName)]
    pub event_type: EventType,
    /// The event's environment.
    #[schema(value_type = schema::EnvironmentName)]
    pub environment: Environment,
    /// When the event happened, by the publisher's clock.
    pub timestamp: DateTime<Utc>,
    /// When a dispatcher received the event.
    pub received_at: DateTime<Utc>,
    /// Whether the event matched any webhook then.
    pub matched: bool,
    /// The webhook of a test event; `null`: the event is no test.
    #[schema(value_type = Option<Uuid>)]
    pub test_webhook_id: Option<WebhookId>,
}

impl From<EventRow> for EventBody {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            event_type: row.event_type,
            environment: row.environment,
            timestamp: row.timestamp,
            received_at: row.received_at,
            matched: row.matched,
            test_webhook_id: row.test_for,
        }
    }
}
