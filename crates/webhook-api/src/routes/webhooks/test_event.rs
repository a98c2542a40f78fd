//! A test event: an example of a type, on the way that every event takes, to one webhook only.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;
use serde::Serialize;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_broker::Publisher;
use webhook_domain::{
    AssignedFields, AuditAction, Event, EventId, EventType, WebhookId, WebhookStatus,
};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::deliveries::{self, DeliveryRow};
use webhook_store::webhooks;

use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::deliveries::DeliveryWithAttempts;
use webhook_admin::duration::parse_duration;
use webhook_admin::fields::Fields;
use webhook_admin::schema;
use webhook_web::Authenticated;
use webhook_web::body::Body;
use webhook_web::{PathId, Problem};

/// The most bytes that a test in JSON may have.
const MAX_BYTES: usize = 1_024;

/// How long a dispatcher may take to take the event in, before the answer goes without it.
const TAKEN_IN_WITHIN: Duration = Duration::from_secs(5);

/// The longest that a caller may wait for the result.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// How often we look.
const LOOK: Duration = Duration::from_millis(25);

/// What to send: the example of a type, whether the webhook wants that type or not.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_test` reads field by field"
)]
pub(crate) struct SendTestEvent {
    #[schema(value_type = schema::EventTypeName, inline)]
    event_type: String,
}

/// A test event that is on its way.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestEventSent {
    pub(crate) event_id: Uuid,
    /// What became of it so far; with `wait` its result. `null`: no dispatcher has taken it in
    /// yet, or the webhook was set Inactive meanwhile.
    pub(crate) delivery: Option<DeliveryWithAttempts>,
}

/// Sends a test event to a webhook through the queue and a dispatcher, as any event. Its body has
/// the field `test`, it is tried once, and it does not wait for an open circuit, for a rate, or for the
/// time that the receiver asked for with `Retry-After`; if it is accepted, that time is over.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks", request_body = SendTestEvent,
    params(
        ("id" = Uuid, Path),
        ("wait" = inline(Option<schema::WaitText>), Query, description = "How long to wait for the result, up to 30s")
    ),
    responses((status = 202, body = TestEventSent), Refusals)
)]
pub(crate) async fn send_test_event(
    PathId(id): PathId<WebhookId>,
    request: HttpRequest,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let test = parse_test(&body.0, request.query_string())?;
    let sent = send_test(id, test, &caller, &connections, &publisher).await?;
    Ok(HttpResponse::Accepted().json(sent))
}

/// Sends an event of a type, and waits so long for its result.
pub(crate) async fn send_test(
    id: WebhookId,
    (event_type, wait): (EventType, Duration),
    caller: &Caller,
    connections: &Connections,
    publisher: &Publisher,
) -> Result<TestEventSent, Refusal> {
    let event = make_event(connections, id, event_type, caller).await?;
    publisher.publish(&event).await?;
    let delivery = match watch(connections, event.id, id, wait).await? {
        Some(row) => {
            let mut connection = connections.acquire().await?;
            Some(DeliveryWithAttempts::read(&mut connection, row).await?)
        }
        None => None,
    };
    Ok(TestEventSent {
        event_id: event.id.0,
        delivery,
    })
}

fn parse_test(body: &[u8], query: &str) -> Result<(EventType, Duration), Refusal> {
    let mut query = Fields::of_query(query);
    let wait = query.optional("wait", |text| parse_duration(text, MAX_WAIT));
    let mut fields = Fields::of_body(body)?;
    let event_type = fields.required("event_type", str::parse);
    let errors = [query.finish(), fields.finish()].concat();
    match event_type {
        Some(event_type) if errors.is_empty() => Ok((event_type, wait.unwrap_or_default())),
        _ => Err(Refusal::Invalid(errors)),
    }
}

/// The event for an Active webhook, and a line in the audit log.
async fn make_event(
    connections: &Connections,
    id: WebhookId,
    event_type: EventType,
    caller: &Caller,
) -> Result<Event, Refusal> {
    let mut connection = connections.acquire().await?;
    let webhook = webhooks::find(&mut connection, id).await?;
    let settings = webhook.ok_or(Refusal::NotFound("webhook"))?.settings;
    if settings.status == WebhookStatus::Inactive {
        return Err(Refusal::Conflict(
            "an Inactive webhook gets nothing; activate it first",
        ));
    }
    let entry = AuditEntry {
        webhook_id: Some(id),
        after: Some(serde_json::json!({"event_type": event_type.as_str()})),
        ..AuditEntry::new(AuditAction::WebhookTested, settings.name.as_str())
    };
    audit::insert(&mut connection, &caller.actor(), &entry).await?;
    let assigned = AssignedFields {
        id: EventId(Uuid::now_v7()),
        timestamp: Utc::now(),
    };
    Ok(Event::test(id, event_type, settings.environment, assigned))
}

/// Waits until the delivery is there, and up to `wait` for its first attempt.
async fn watch(
    connections: &Connections,
    event_id: EventId,
    webhook_id: WebhookId,
    wait: Duration,
) -> Result<Option<DeliveryRow>, Refusal> {
    let began = Instant::now();
    loop {
        let mut connection = connections.acquire().await?;
        let found = deliveries::find_by_event(&mut connection, event_id, webhook_id).await?;
        drop(connection);
        let enough = match &found {
            Some(row) => row.attempts > 0 || row.ended_at.is_some() || began.elapsed() >= wait,
            None => began.elapsed() >= wait.max(TAKEN_IN_WITHIN),
        };
        if enough {
            return Ok(found);
        }
        sleep(LOOK).await;
    }
}
