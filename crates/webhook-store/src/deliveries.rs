//! Table `deliveries`, as the API reads it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Nullable, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, DeliveryStatus, EventId, WebhookId};

use crate::schema::{deliveries, events, webhooks};
use crate::statement::statement;
use crate::{StoreError, error::name};

/// A delivery with what names its event.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// What is delivered.
    pub event_id: EventId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// The event's type.
    pub event_type: String,
    /// The event's environment.
    pub environment: String,
    /// Whether it is a test event, for this webhook only.
    pub test: bool,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// How many attempts were recorded.
    pub attempts: i32,
    /// When it is tried next, while it is pending.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was owed.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Which deliveries to list.
#[derive(Debug, Default)]
pub struct DeliveryFilter {
    /// To this webhook only.
    pub webhook_id: Option<WebhookId>,
    /// Of this event only.
    pub event_id: Option<EventId>,
    /// In this status only.
    pub status: Option<DeliveryStatus>,
    /// After this one, which was the last of the page before.
    pub after: Option<DeliveryId>,
    /// At most so many.
    pub limit: i64,
}

type Row = (
    (Uuid, Uuid, Uuid, String, i32),
    (Option<DateTime<Utc>>, DateTime<Utc>, Option<DateTime<Utc>>),
    (String, String, Option<Uuid>),
);

fn read((delivery, times, event): Row) -> Result<DeliveryRow, StoreError> {
    Ok(DeliveryRow {
        id: DeliveryId(delivery.0),
        event_id: EventId(delivery.1),
        webhook_id: WebhookId(delivery.2),
        status: name(&delivery.3)?,
        attempts: delivery.4,
        next_attempt_at: times.0,
        created_at: times.1,
        ended_at: times.2,
        event_type: event.0,
        environment: event.1,
        test: event.2.is_some(),
    })
}

/// Lists deliveries, newest first.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &DeliveryFilter,
) -> Result<Vec<DeliveryRow>, StoreError> {
    use deliveries::dsl as d;
    let mut query = d::deliveries
        .inner_join(events::table)
        .select((
            (d::id, d::event_id, d::webhook_id, d::status, d::attempts),
            (d::next_attempt_at, d::created_at, d::ended_at),
            (
                events::event_type,
                events::environment,
                events::test_webhook_id,
            ),
        ))
        .into_boxed();
    if let Some(webhook_id) = filter.webhook_id {
        query = query.filter(d::webhook_id.eq(webhook_id.0));
    }
    if let Some(event_id) = filter.event_id {
        query = query.filter(d::event_id.eq(event_id.0));
    }
    if let Some(status) = filter.status {
        query = query.filter(d::status.eq(status.as_str()));
    }
    if let Some(after) = filter.after {
        query = query.filter(d::id.lt(after.0));
    }
    let query = query.order(d::id.desc()).limit(filter.limit);
    let rows: Vec<Row> = query.load(connection).await?;
    rows.into_iter().map(read).collect()
}

/// Finds a delivery.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Option<DeliveryRow>, StoreError> {
    use deliveries::dsl as d;
    let row: Option<Row> = d::deliveries
        .find(id.0)
        .inner_join(events::table)
        .select((
            (d::id, d::event_id, d::webhook_id, d::status, d::attempts),
            (d::next_attempt_at, d::created_at, d::ended_at),
            (
                events::event_type,
                events::environment,
                events::test_webhook_id,
            ),
        ))
        .first(connection)
        .await
        .optional()?;
    row.map(read).transpose()
}

/// Finds the delivery of an event to a webhook.
pub async fn find_by_event(
    connection: &mut AsyncPgConnection,
    event_id: EventId,
    webhook_id: WebhookId,
) -> Result<Option<DeliveryRow>, StoreError> {
    let filter = DeliveryFilter {
        webhook_id: Some(webhook_id),
        event_id: Some(event_id),
        limit: 1,
        ..DeliveryFilter::default()
    };
    Ok(list(connection, &filter).await?.pop())
}

statement! {
    FindBody<'a> -> Bytea {
        "SELECT body FROM events WHERE id = coalesce(
            (SELECT id FROM events WHERE id = ", event_id: &'a Option<Uuid> => Nullable<SqlUuid>,
        "), (SELECT event_id FROM deliveries WHERE id = ", delivery_id: &'a Option<Uuid> => Nullable<SqlUuid>,
        "))"
    }
}

/// Finds what was sent for an event, or else for a delivery.
pub async fn find_body(
    connection: &mut AsyncPgConnection,
    event_id: Option<EventId>,
    delivery_id: Option<DeliveryId>,
) -> Result<Option<Bytes>, StoreError> {
    let statement = FindBody {
        event_id: &event_id.map(|id| id.0),
        delivery_id: &delivery_id.map(|id| id.0),
    };
    let body: Option<Vec<u8>> = statement.get_result(connection).await.optional()?;
    Ok(body.map(Bytes::from))
}

statement! {
    /// What another worker is moving on at this moment is left to a later call.
    CancelPending<'a> -> diesel::sql_types::Untyped {
        "UPDATE deliveries
        SET status = 'cancelled', next_attempt_at = NULL, backlog = NULL, ended_at = now()
        WHERE status = 'pending' AND id = ANY(ARRAY(
            SELECT id FROM deliveries
            WHERE status = 'pending' AND webhook_id = ", webhook_id: &'a Uuid => SqlUuid,
        " LIMIT ", limit: i64 => BigInt,
        " FOR UPDATE SKIP LOCKED))"
    }
}

/// Cancels what is pending for a webhook, up to `limit`. Tells how many were.
pub async fn cancel_pending(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    limit: i64,
) -> Result<usize, StoreError> {
    let webhook_id = &webhook_id.0;
    let statement = CancelPending { webhook_id, limit };
    Ok(statement.execute(connection).await?)
}

/// Of the webhooks that were deleted, those that still have something pending, up to `limit`.
pub async fn list_deleted_with_pending(
    connection: &mut AsyncPgConnection,
    limit: i64,
) -> Result<Vec<WebhookId>, StoreError> {
    let pending = deliveries::table
        .filter(deliveries::webhook_id.eq(webhooks::id))
        .filter(deliveries::status.eq("pending"));
    let ids: Vec<Uuid> = webhooks::table
        .filter(webhooks::deleted_at.is_not_null())
        .filter(diesel::dsl::exists(pending))
        .select(webhooks::id)
        .limit(limit)
        .load(connection)
        .await?;
    Ok(ids.into_iter().map(WebhookId).collect())
}
