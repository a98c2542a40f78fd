//! Deliveries: what is owed to whom, what became of it, and every attempt.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::FailureClass;
use webhook_store::attempts::{self, Attempt};
use webhook_store::deliveries::{self, DeliveryFilter, DeliveryRow};

use crate::connections::Connections;
use crate::fields::Fields;
use crate::openapi::Refusals;
use crate::page::{Page, PageLimit, parse_cursor};
use crate::problem::Problem;
use crate::schema;

/// One event owed to one webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryBody {
    id: Uuid,
    event_id: Uuid,
    webhook_id: Uuid,
    #[schema(value_type = schema::EventTypeName)]
    event_type: String,
    #[schema(value_type = schema::EnvironmentName)]
    environment: String,
    /// Whether it is of a test event.
    test: bool,
    #[schema(value_type = schema::DeliveryStatusName)]
    status: &'static str,
    /// How many attempts were recorded.
    attempt_count: i32,
    /// When it is tried next, while it is pending.
    next_attempt_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

/// A delivery with its attempts.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryWithAttempts {
    #[serde(flatten)]
    delivery: DeliveryBody,
    /// In order.
    attempts: Vec<AttemptBody>,
}

/// One HTTP request made for a delivery.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptBody {
    /// From 1. A number comes twice when two workers made the attempt.
    number: i32,
    started_at: DateTime<Utc>,
    duration_ms: i32,
    /// `null` when there was no answer.
    response_status: Option<i32>,
    response_headers: Vec<HeaderBody>,
    /// The start of the answer's body; what is no UTF-8 is replaced.
    response_body: String,
    response_body_truncated: bool,
    /// Why it failed, when it did.
    #[schema(value_type = Option<schema::FailureClassName>)]
    failure_class: Option<&'static str>,
    failure_detail: Option<String>,
}

/// A header of an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Header)]
pub(crate) struct HeaderBody {
    name: String,
    value: String,
}

/// Lists deliveries, newest first.
#[utoipa::path(
    get, path = "/api/v1/deliveries", tag = "deliveries",
    params(
        ("webhook_id" = Option<Uuid>, Query, description = "To this webhook"),
        ("event_id" = Option<Uuid>, Query, description = "Of this event"),
        ("status" = inline(Option<schema::DeliveryStatusName>), Query, description = "In this status"),
        ("cursor" = Option<Uuid>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u8>, Query, description = "Deliveries per page, 50 when left out", minimum = 1, maximum = 200)
    ),
    responses((status = 200, body = Page<DeliveryBody>), Refusals)
)]
pub(crate) async fn list_deliveries(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<DeliveryBody>>, Problem> {
    let (filter, limit) = parse_filter(request.query_string())?;
    let mut connection = connections.acquire().await?;
    let rows = deliveries::list(&mut connection, &filter).await?;
    let rows = rows.into_iter().map(DeliveryBody::from).collect();
    Ok(Json(Page::of(rows, limit, |row| row.id)))
}

/// Reads a delivery with its attempts.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}", tag = "deliveries", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryWithAttempts), Refusals)
)]
pub(crate) async fn find_delivery(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<Json<DeliveryWithAttempts>, Problem> {
    let id = id.parse().map_err(|_| Problem::NotFound("delivery"))?;
    let mut connection = connections.acquire().await?;
    let delivery = deliveries::find(&mut connection, id).await?;
    let delivery = delivery.ok_or(Problem::NotFound("delivery"))?;
    let attempts = attempts::list(&mut connection, id).await?;
    Ok(Json(DeliveryWithAttempts::of(delivery, attempts)))
}

fn parse_filter(query: &str) -> Result<(DeliveryFilter, PageLimit), Problem> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let filter = DeliveryFilter {
        webhook_id: fields.optional("webhook_id", str::parse),
        event_id: fields.optional("event_id", str::parse),
        status: fields.optional("status", str::parse),
        after: fields.optional("cursor", parse_cursor),
        limit: limit.rows(),
    };
    fields.end()?;
    Ok((filter, limit))
}

impl DeliveryWithAttempts {
    pub(crate) fn of(delivery: DeliveryRow, attempts: Vec<Attempt>) -> Self {
        Self {
            delivery: delivery.into(),
            attempts: attempts.into_iter().map(AttemptBody::from).collect(),
        }
    }
}

impl From<DeliveryRow> for DeliveryBody {
    fn from(row: DeliveryRow) -> Self {
        Self {
            id: row.id.0,
            event_id: row.event_id.0,
            webhook_id: row.webhook_id.0,
            event_type: row.event_type,
            environment: row.environment,
            test: row.test,
            status: row.status.as_str(),
            attempt_count: row.attempts,
            next_attempt_at: row.next_attempt_at,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}

impl From<Attempt> for AttemptBody {
    fn from(attempt: Attempt) -> Self {
        let headers = attempt.response_headers.into_iter();
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            response_status: attempt.response_status,
            response_headers: headers
                .map(|(name, value)| HeaderBody { name, value })
                .collect(),
            response_body: String::from_utf8_lossy(&attempt.response_body).into_owned(),
            response_body_truncated: attempt.response_body_truncated,
            failure_class: attempt.failure_class.map(FailureClass::as_str),
            failure_detail: attempt.failure_detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_wrong_is_refused_with_every_name() {
        let refused = parse_filter("webhook_id=5&status=lost&cursor=x&limit=0&page=2");

        let Err(Problem::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["limit", "webhook_id", "status", "cursor", "page"]);
    }
}
