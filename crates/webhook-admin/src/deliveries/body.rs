//! A delivery as the API shows it in lists.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{
    DeliveryId, DeliveryStatus, Environment, EventId, EventType, FailureClass, StatusFilter,
    WebhookId,
};
use webhook_store::deliveries::DeliveryRow;

use crate::schema;

/// One event to be delivered to one webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryBody {
    /// The delivery's id.
    #[schema(value_type = Uuid)]
    pub id: DeliveryId,
    /// The event's id.
    #[schema(value_type = Uuid)]
    pub event_id: EventId,
    /// The webhook's id.
    #[schema(value_type = Uuid)]
    pub webhook_id: WebhookId,
    /// The webhook's name, also when the webhook was deleted.
    pub webhook_name: String,
    /// The event's type.
    #[schema(value_type = schema::EventTypeName)]
    pub event_type: EventType,
    /// The event's environment.
    #[schema(value_type = schema::EnvironmentName)]
    pub environment: Environment,
    /// Whether the event is a test event.
    pub test: bool,
    /// Whether the delivery is pending, or how it ended.
    #[schema(value_type = schema::DeliveryStatusName)]
    pub status: DeliveryStatus,
    /// The number of recorded attempts. Attempts with the response 429 count here, though they cost none
    /// of the retry policy's attempts.
    pub attempt_count: i32,
    /// The HTTP status of the latest attempt's response; `null`: there was no response.
    pub response_status: Option<u16>,
    /// Why the latest attempt failed; `null`: the attempt did not fail, or there was none.
    #[schema(value_type = Option<schema::FailureClassName>)]
    pub failure_class: Option<FailureClass>,
    /// When the next attempt is due; `null`: the delivery has ended, or waits for earlier deliveries of
    /// the same ordering key.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When the delivery was created.
    pub created_at: DateTime<Utc>,
    /// When the delivery ended; `null` for a pending delivery.
    pub ended_at: Option<DateTime<Utc>>,
}

impl DeliveryBody {
    /// Whether attempts may still be made.
    pub fn is_pending(&self) -> bool {
        self.status == DeliveryStatus::Pending
    }

    /// Whether the webhook accepted the delivery.
    pub fn is_succeeded(&self) -> bool {
        self.status == DeliveryStatus::Succeeded
    }

    /// Whether a retry can be requested. Not before the first attempt, which is on the way already.
    pub fn can_be_retried(&self) -> bool {
        !self.is_pending() || self.attempt_count > 0
    }

    /// The status with pending deliveries told apart: `retrying` after a failed attempt, `pending`
    /// before the first attempt.
    pub fn detailed_status(&self) -> StatusFilter {
        StatusFilter::of(self.status, self.attempt_count)
    }
}

impl From<DeliveryRow> for DeliveryBody {
    fn from(row: DeliveryRow) -> Self {
        Self {
            id: row.id,
            event_id: row.event_id,
            webhook_id: row.webhook_id,
            webhook_name: row.webhook_name,
            event_type: row.event_type,
            environment: row.environment,
            test: row.test,
            status: row.status,
            attempt_count: row.attempts,
            response_status: row.last_answer.status(),
            failure_class: row.last_answer.failure(),
            next_attempt_at: row.next_attempt_at,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}
