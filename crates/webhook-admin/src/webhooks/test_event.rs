//! Sends a test event: the example of an event type, through the queue and a dispatcher like every
//! event, to one webhook only.

use std::time::Duration;

use chrono::Utc;
use serde::Serialize;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_broker::Publisher;
use webhook_domain::{AssignedFields, AuditAction, Event, EventId, EventType, WebhookId};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::deliveries::{self, DeliveryRow};

use super::find::find_stored;
use super::status::require_active;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::deliveries::DeliveryWithAttempts;
use crate::duration::parse_duration;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;

/// How long a dispatcher may take to create the delivery. After that the response goes without one.
const INTAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest that a caller may wait for the result.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// How often the delivery is looked for.
const DELIVERY_POLL_INTERVAL: Duration = Duration::from_millis(25);

request! {
    /// A test event: the example of an event type, whether the webhook is subscribed to the type or
    /// not.
    #[derive(ToSchema)]
    pub struct SendTestEvent {
        // The event type.
        #[allow(missing_docs, reason = "a doc would wrap the inlined schema in an `allOf`")]
        #[schema(value_type = schema::EventTypeName, inline)]
        pub event_type: EventType = required(str::parse),
    }
}

impl SendTestEvent {
    /// Reads the document, and from the query how long to wait for the result.
    pub fn parse(body: &[u8], query: &str) -> Result<(Self, Duration), Refusal> {
        let mut query = Fields::of_query(query);
        let wait = query.optional("wait", |text| parse_duration(text, MAX_WAIT));
        let mut fields = Fields::of_body(body)?;
        let test = Self::take(&mut fields);
        let test = query.and(fields).end_with(test)?;
        Ok((test, wait.unwrap_or_default()))
    }
}

/// A test event that was published.
#[derive(Serialize, ToSchema)]
pub struct TestEventSent {
    /// The id of the event.
    #[schema(value_type = Uuid)]
    pub event_id: EventId,
    /// The delivery so far; with `wait` its result. `null`: no dispatcher has received the event yet,
    /// or the webhook was set Inactive meanwhile.
    pub delivery: Option<DeliveryWithAttempts>,
}

/// Sends a test event to an Active webhook, and waits up to `wait` for the first attempt.
pub async fn send_test_event(
    id: WebhookId,
    (event_type, wait): (EventType, Duration),
    caller: &Caller,
    connections: &Connections,
    publisher: &Publisher,
) -> Result<TestEventSent, Refusal> {
    let event = make_event(connections, id, event_type, caller).await?;
    publisher.publish(&event).await?;
    let delivery = match wait_for_attempt(connections, event.id, id, wait).await? {
        Some(row) => {
            let mut connection = connections.acquire().await?;
            Some(DeliveryWithAttempts::read(&mut connection, row).await?)
        }
        None => None,
    };
    Ok(TestEventSent {
        event_id: event.id,
        delivery,
    })
}

/// Makes the event for an Active webhook, and writes an entry into the audit log.
async fn make_event(
    connections: &Connections,
    id: WebhookId,
    event_type: EventType,
    caller: &Caller,
) -> Result<Event, Refusal> {
    let mut connection = connections.acquire().await?;
    let settings = find_stored(&mut connection, id).await?.settings;
    require_active(&settings)?;
    let entry = AuditEntry {
        webhook_id: Some(id),
        after: Some(serde_json::json!({"event_type": event_type})),
        ..AuditEntry::new(AuditAction::WebhookTested, settings.name.as_str())
    };
    audit::insert(&mut connection, &caller.actor(), &entry).await?;
    let assigned = AssignedFields {
        id: EventId(Uuid::now_v7()),
        timestamp: Utc::now(),
    };
    Ok(Event::test(id, event_type, settings.environment, assigned))
}

/// Waits until the delivery exists, and up to `wait` for its first attempt.
async fn wait_for_attempt(
    connections: &Connections,
    event_id: EventId,
    webhook_id: WebhookId,
    wait: Duration,
) -> Result<Option<DeliveryRow>, Refusal> {
    let began = Instant::now();
    loop {
        let mut connection = connections.acquire().await?;
        let found = deliveries::find_by_event(&mut connection, event_id, webhook_id).await?;
        // The connection goes back to the pool while nothing is to be read.
        drop(connection);
        let is_enough = match &found {
            Some(row) => row.attempts > 0 || row.ended_at.is_some() || began.elapsed() >= wait,
            None => began.elapsed() >= wait.max(INTAKE_TIMEOUT),
        };
        if is_enough {
            return Ok(found);
        }
        sleep(DELIVERY_POLL_INTERVAL).await;
    }
}
