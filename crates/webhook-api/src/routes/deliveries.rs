//! Deliveries: what is owed to whom, what became of it, and how it is asked for again.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{DeliveryId, FailureClass};
use webhook_store::deliveries::DeliveryRow;

use webhook_admin::Refusal;
use webhook_admin::schema;

pub(crate) mod again;
pub(crate) mod list;
pub(crate) mod read;

/// One event owed to one webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryBody {
    pub(crate) id: Uuid,
    pub(crate) event_id: Uuid,
    pub(crate) webhook_id: Uuid,
    /// What the webhook is called, also when it was deleted.
    pub(crate) webhook_name: String,
    #[schema(value_type = schema::EventTypeName)]
    pub(crate) event_type: &'static str,
    #[schema(value_type = schema::EnvironmentName)]
    pub(crate) environment: &'static str,
    /// Whether it is of a test event.
    pub(crate) test: bool,
    #[schema(value_type = schema::DeliveryStatusName)]
    pub(crate) status: &'static str,
    /// How many attempts were recorded, those included that were answered 429 and cost none.
    pub(crate) attempt_count: i32,
    /// The status of the latest attempt's answer; `null`: there was none.
    pub(crate) response_status: Option<u16>,
    /// Why the latest attempt failed, when it did.
    #[schema(value_type = Option<schema::FailureClassName>)]
    pub(crate) failure_class: Option<&'static str>,
    /// When it is tried next, while it is pending.
    pub(crate) next_attempt_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

impl From<DeliveryRow> for DeliveryBody {
    fn from(row: DeliveryRow) -> Self {
        Self {
            id: row.id.0,
            event_id: row.event_id.0,
            webhook_id: row.webhook_id.0,
            webhook_name: row.webhook_name,
            event_type: row.event_type.as_str(),
            environment: row.environment.as_str(),
            test: row.test,
            status: row.status.as_str(),
            attempt_count: row.attempts,
            response_status: row.last_answer.status(),
            failure_class: row.last_answer.failure().map(FailureClass::as_str),
            next_attempt_at: row.next_attempt_at,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}

/// What is no id names no delivery.
fn parse_id(text: &str) -> Result<DeliveryId, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound("delivery"))
}
