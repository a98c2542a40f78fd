//! Single deliveries, and looks at the pending deliveries of a webhook or an environment.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use diesel::dsl::{exists, min};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryId, Environment, EventId, WebhookId};

use super::row::DeliveryRow;
use crate::StoreError;
use crate::column_types::{BacklogQueue, Id, Named, bind};
use crate::schema::{deliveries, deliveries_pending, events, webhooks};
use crate::sql::{Columns, row, sql};

/// Finds a delivery.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Option<DeliveryRow>, StoreError> {
    let delivery = deliveries::table
        .inner_join(webhooks::table)
        .filter(deliveries::id.eq(bind(id)))
        .select(DeliveryRow::as_select());
    Ok(delivery.first(connection).await.optional()?)
}

/// Finds the delivery of an event to a webhook.
pub async fn find_by_event(
    connection: &mut AsyncPgConnection,
    event_id: EventId,
    webhook_id: WebhookId,
) -> Result<Option<DeliveryRow>, StoreError> {
    let delivery = deliveries::table
        .inner_join(webhooks::table)
        .filter(deliveries::event_id.eq(bind(event_id)))
        .filter(deliveries::webhook_id.eq(bind(webhook_id)))
        .select(DeliveryRow::as_select());
    Ok(delivery.first(connection).await.optional()?)
}

/// Finds the body of an event by the event's id, or else by the id of a delivery.
pub async fn find_sent_body(
    connection: &mut AsyncPgConnection,
    event_id: Option<EventId>,
    delivery_id: Option<DeliveryId>,
) -> Result<Option<Bytes>, StoreError> {
    let mut body: Option<Vec<u8>> = None;
    if let Some(id) = event_id {
        let of_event = events::table.find(bind(id)).select(events::body);
        body = of_event.first(connection).await.optional()?;
    }
    if let (None, Some(id)) = (&body, delivery_id) {
        let of_delivery = deliveries::table
            .inner_join(events::table)
            .filter(deliveries::id.eq(bind(id)))
            .select(events::body);
        body = of_delivery.first(connection).await.optional()?;
    }
    Ok(body.map(Bytes::from))
}

sql! {
    struct CountPending from "count_pending.sql" -> BigInt {
        1 webhook_id: WebhookId as Id<WebhookId>,
        2 limit: i64 as BigInt,
    }
}

/// Counts the pending deliveries of a webhook, up to `limit`: a webhook may have millions.
pub async fn count_pending(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    limit: i64,
) -> Result<usize, StoreError> {
    let statement = CountPending { webhook_id, limit };
    let count: i64 = statement.get_result(connection).await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

row! {
    /// A webhook with the number of pending deliveries.
    struct PendingOf {
        webhook_id: WebhookId as Id<WebhookId>,
        count: i64 as BigInt,
    }
}

sql! {
    struct CountPendingOf from "count_pending_of.sql" -> Columns<PendingOf> {
        1 webhook_ids: Vec<WebhookId> as Array<Id<WebhookId>>,
        2 limit: i64 as BigInt,
    }
}

/// Counts the pending deliveries of webhooks, each up to `limit`.
pub async fn count_pending_of(
    connection: &mut AsyncPgConnection,
    webhook_ids: &[WebhookId],
    limit: i64,
) -> Result<HashMap<WebhookId, i64>, StoreError> {
    let webhook_ids = webhook_ids.to_vec();
    let statement = CountPendingOf { webhook_ids, limit };
    let counted: Vec<PendingOf> = statement.load(connection).await?;
    Ok(counted
        .into_iter()
        .map(|of| (of.webhook_id, of.count))
        .collect())
}

/// The due time of the oldest delivery in a webhook's backlog. `None`: the backlog is empty.
pub async fn find_oldest_due(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut oldest: Option<DateTime<Utc>> = None;
    // One look into the index for each queue, however many deliveries wait.
    for backlog in [BacklogQueue::FirstAttempt, BacklogQueue::Retry] {
        let due: Option<DateTime<Utc>> = deliveries_pending::table
            .filter(deliveries_pending::webhook_id.eq(bind(webhook_id)))
            .filter(deliveries_pending::backlog.eq(Some(backlog)))
            .select(min(deliveries_pending::next_attempt_at))
            .first(connection)
            .await?;
        oldest = oldest.into_iter().chain(due).min();
    }
    Ok(oldest)
}

sql! {
    struct CountPendingIn from "count_pending_in.sql" -> BigInt {
        1 environment: Environment as Named<Environment>,
        2 limit: i64 as BigInt,
    }
}

/// Counts the pending deliveries of an environment, up to `limit`.
pub async fn count_pending_in(
    connection: &mut AsyncPgConnection,
    environment: Environment,
    limit: i64,
) -> Result<i64, StoreError> {
    let statement = CountPendingIn { environment, limit };
    Ok(statement.get_result(connection).await?)
}

sql! {
    struct FindOldestDueIn from "find_oldest_due_in.sql" -> Nullable<Timestamptz> {
        1 environment: Environment as Named<Environment>,
    }
}

/// The due time of the oldest delivery in the backlogs of an environment's Active webhooks. `None`: nothing is
/// overdue.
pub async fn find_oldest_due_in(
    connection: &mut AsyncPgConnection,
    environment: Environment,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let statement = FindOldestDueIn { environment };
    Ok(statement.get_result(connection).await?)
}

/// Lists up to `limit` deleted webhooks with pending deliveries.
pub async fn list_deleted_with_pending(
    connection: &mut AsyncPgConnection,
    limit: i64,
) -> Result<Vec<WebhookId>, StoreError> {
    let pending = deliveries_pending::table
        .filter(deliveries_pending::webhook_id.eq(webhooks::id))
        .select(deliveries_pending::id);
    let deleted = webhooks::table
        .filter(webhooks::deleted_at.is_not_null())
        .filter(exists(pending))
        .select(webhooks::id)
        .limit(limit);
    Ok(deleted.load(connection).await?)
}
