//! Deliveries are asked for again, or wanted no more.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{
    AuditAction, DeliveryId, DeliveryStatus, EventId, JobRate, StatusFilter, WebhookId,
    WebhookStatus,
};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::deliveries::{self, Again, DeliveryRow, Due};
use webhook_store::jobs::Selection;
use webhook_store::ordering::release_heads;
use webhook_store::{RawConnection, SealingKeys, events, health, transaction, webhooks};
use webhook_web::creation::{IdempotencyHeader, respond_created};

use super::list::parse_filter;
use super::read::DeliveryWithAttempts;
use super::{DeliveryBody, parse_id};
use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::jobs::{JobBody, JobCount, NewJob, parse_rate};
use webhook_admin::schema;
use webhook_admin::values::parse_bool;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::body::Body;

/// The most bytes that a selection in JSON may have.
const MAX_BYTES: usize = 8 * 1024;

/// Tries a delivery now, whatever it is: one that failed or was cancelled is owed again with all
/// attempts of its policy, one that waits for its retry goes on at once, and one that had succeeded
/// is sent again. One that was not tried yet is on its way already, and stays as it is. One whose
/// retry runs at this moment may be sent twice. If the receiver asked for no requests until some
/// time (`Retry-After`), that time is over for all deliveries of the webhook.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/retry", tag = "deliveries", params(("id" = Uuid, Path)),
    responses((status = 202, body = DeliveryWithAttempts), Refusals)
)]
pub(crate) async fn retry_delivery(
    id: Path<String>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let id = retry(&id, &caller, &connections).await?;
    let mut connection = connections.acquire().await?;
    let delivery = deliveries::find(&mut connection, id).await?;
    let delivery = delivery.ok_or(Refusal::NotFound("delivery"))?;
    let read = DeliveryWithAttempts::read(&mut connection, delivery).await?;
    Ok(HttpResponse::Accepted().json(read))
}

/// Tries the delivery now that a path names, as [`retry_delivery`] says.
pub(crate) async fn retry(
    id: &str,
    caller: &Caller,
    connections: &Connections,
) -> Result<DeliveryId, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let due = transaction(&mut connection, async |connection| {
        let found = deliveries::find(connection, id).await?;
        let delivery = found.ok_or(Refusal::NotFound("delivery"))?;
        let hold_ended = health::end_hold(connection, delivery.webhook_id).await?;
        if delivery.status == DeliveryStatus::Pending && delivery.attempts == 0 {
            if hold_ended {
                let action = AuditAction::DeliveryRetried;
                write_down(connection, caller, action, &delivery).await?;
            }
            return Ok(Due::default());
        }
        check_sendable(connection, delivery.webhook_id, delivery.event_id).await?;
        let again = Again {
            deliveries: &[(id, delivery.status)],
            actor_name: caller.name(),
            job_id: None,
        };
        let due = deliveries::make_due(connection, &again).await?;
        if due.ids.is_empty() {
            return Err(Refusal::Conflict(
                "it was changed meanwhile; look at it again",
            ));
        }
        let action = match delivery.status {
            DeliveryStatus::Succeeded => AuditAction::DeliveryResent,
            DeliveryStatus::Pending | DeliveryStatus::Failed | DeliveryStatus::Cancelled => {
                AuditAction::DeliveryRetried
            }
        };
        write_down(connection, caller, action, &delivery).await?;
        Ok(due)
    });
    let due: Due = due.await?;
    release_heads(&mut connection, due.turns).await?;
    Ok(id)
}

/// Cancels a pending delivery: it is not tried again. A request that is running ends, and one that
/// waits in a dispatcher for its turn is still made; it is recorded, and changes nothing.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/cancel", tag = "deliveries", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryBody), Refusals)
)]
pub(crate) async fn cancel_delivery(
    id: Path<String>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<Json<DeliveryBody>, Problem> {
    cancel(&id, &caller, &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Cancels the delivery that a path names, as [`cancel_delivery`] says.
pub(crate) async fn cancel(
    id: &str,
    caller: &Caller,
    connections: &Connections,
) -> Result<DeliveryBody, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let cancelled = transaction(&mut connection, async |connection| {
        let found = deliveries::find(connection, id).await?;
        let delivery = found.ok_or(Refusal::NotFound("delivery"))?;
        let cancelled = deliveries::cancel(connection, id).await?;
        let turns = cancelled.ok_or(Refusal::Conflict(
            "only a pending delivery can be cancelled",
        ))?;
        let action = AuditAction::DeliveryCancelled;
        write_down(connection, caller, action, &delivery).await?;
        Ok::<_, Refusal>(turns)
    });
    let turns = cancelled.await?;
    release_heads(&mut connection, turns).await?;
    let delivery = deliveries::find(&mut connection, id).await?;
    let delivery = delivery.ok_or(Refusal::NotFound("delivery"))?;
    Ok(delivery.into())
}

/// What cannot be sent now is refused with the reason.
async fn check_sendable(
    connection: &mut RawConnection,
    webhook_id: WebhookId,
    event_id: EventId,
) -> Result<(), Refusal> {
    let webhook = webhooks::find(connection, webhook_id).await?;
    let webhook = webhook.ok_or(Refusal::Conflict("its webhook was deleted"))?;
    if webhook.settings.status == WebhookStatus::Inactive {
        return Err(Refusal::Conflict(
            "its webhook is Inactive; activate it first",
        ));
    }
    if events::find_body(connection, event_id).await?.is_none() {
        return Err(Refusal::Conflict("its event is not kept any more"));
    }
    Ok(())
}

async fn write_down(
    connection: &mut RawConnection,
    caller: &Caller,
    action: AuditAction,
    delivery: &DeliveryRow,
) -> Result<(), Refusal> {
    let entry = AuditEntry {
        webhook_id: Some(delivery.webhook_id),
        before: Some(serde_json::json!({"status": delivery.status.as_str()})),
        after: Some(serde_json::json!({"delivery_id": delivery.id})),
        ..AuditEntry::new(action, &delivery.webhook_name)
    };
    audit::insert(connection, &caller.actor(), &entry).await?;
    Ok(())
}

/// Which deliveries to send again: the filters of the list.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `Retry::parse` reads field by field"
)]
pub(crate) struct RetryDeliveries {
    /// To this webhook.
    webhook_id: Option<Uuid>,
    /// To webhooks with this text in their name, in any case.
    #[schema(max_length = 200)]
    search: Option<String>,
    /// Of this event.
    event_id: Option<Uuid>,
    /// Of events of this type.
    #[schema(value_type = Option<schema::EventTypeName>, inline)]
    event_type: Option<String>,
    #[schema(value_type = Option<schema::EnvironmentName>, inline)]
    environment: Option<String>,
    /// `failed` when left out.
    #[schema(value_type = Option<schema::StatusFilterName>, inline)]
    status: Option<String>,
    /// By the latest attempt, as in the list.
    #[schema(value_type = Option<schema::AnswerText>, inline)]
    response: Option<String>,
    /// Not owed before this time.
    since: Option<DateTime<Utc>>,
    /// Owed before this time.
    until: Option<DateTime<Utc>>,
    /// How many per second, so that live deliveries go on beside them; 100 when left out.
    #[schema(minimum = 1, maximum = 5_000)]
    rate: Option<u16>,
}

/// Sends many deliveries again, the oldest first: a job, which can be watched and cancelled. With
/// `dry_run=true` they are only counted.
#[utoipa::path(
    post, path = "/api/v1/deliveries/retry", tag = "deliveries", request_body = RetryDeliveries,
    params(
        ("dry_run" = Option<bool>, Query, description = "Only count them"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the job once, however often it is sent within 24 hours", min_length = 1, max_length = 255, pattern = "^[!-~]+$")
    ),
    responses(
        (status = 200, body = JobCount, description = "How many there are (`dry_run`)"),
        (status = 201, body = JobBody, headers(("Location" = String, description = "Where the job is"))),
        Refusals
    )
)]
pub(crate) async fn retry_deliveries(
    request: HttpRequest,
    IdempotencyHeader(idempotency_key): IdempotencyHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let (retry, dry_run) = Retry::parse(&body.0, request.query_string())?;
    let mut connection = connections.acquire().await?;
    if dry_run {
        let count = retry.job().count(&mut connection).await?;
        return Ok(HttpResponse::Ok().json(count));
    }
    let request = (&idempotency_key, &*body.0);
    let job = retry.job();
    let started = job.start(&mut connection, &keys, &caller, request).await?;
    Ok(respond_created(started))
}

/// Deliveries to be sent again.
pub(crate) struct Retry {
    pub(crate) selection: Selection,
    rate: JobRate,
}

impl Retry {
    /// Reads a selection in JSON, and a query for whether it is only counted.
    pub(crate) fn parse(body: &[u8], query: &str) -> Result<(Self, bool), Refusal> {
        let mut query = Fields::of_query(query);
        let dry_run = query.optional("dry_run", parse_bool).unwrap_or_default();
        let mut fields = Fields::of_body(body)?;
        let mut filter = parse_filter(&mut fields);
        filter.status.get_or_insert(StatusFilter::Failed);
        let rate = parse_rate(&mut fields);
        let errors = [query.finish(), fields.finish()].concat();
        if !errors.is_empty() {
            return Err(Refusal::Invalid(errors));
        }
        let selection = Selection::Retry(filter).up_to_now();
        Ok((Self { selection, rate }, dry_run))
    }

    /// The job that does it.
    pub(crate) fn job(&self) -> NewJob<'_> {
        NewJob {
            selection: &self.selection,
            rate: self.rate,
            action: AuditAction::DeliveriesRetried,
            subject: "deliveries",
        }
    }
}
