//! The row of a delivery.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use webhook_domain::{
    DeliveryId, DeliveryStatus, Environment, EventId, EventType, LastResponse, WebhookId,
};

use crate::schema::{deliveries, webhooks};

/// A delivery, with the name of its webhook.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = deliveries, check_for_backend(Pg))]
pub struct DeliveryRow {
    /// The delivery's id, a UUID v7: ids sort in the order of creation.
    pub id: DeliveryId,
    /// The event.
    pub event_id: EventId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The name of the webhook, deleted or not.
    #[diesel(select_expression = webhooks::name)]
    pub webhook_name: String,
    /// The event's type.
    pub event_type: EventType,
    /// The event's environment.
    pub environment: Environment,
    /// Whether the event is a test event, for this webhook only.
    pub test: bool,
    /// The status.
    pub status: DeliveryStatus,
    /// The result of the latest attempt.
    pub last_answer: LastResponse,
    /// The number of recorded attempts.
    pub attempts: i32,
    /// The number of attempts not counted by the retry schedule: attempts before an admin's retry, and
    /// later attempts with a 429 response that cost none.
    pub schedule_from: i32,
    /// The time of the next attempt, while the delivery is pending.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The time of creation.
    pub created_at: DateTime<Utc>,
    /// The time of the end.
    pub ended_at: Option<DateTime<Utc>>,
}
