//! Pending deliveries cancelled.

use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Nullable, Untyped};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryId, OrderingKey, WebhookId};

use crate::StoreError;
use crate::column_types::Id;
use crate::dispatch::ordering::Turns;
use crate::sql::sql;

sql! {
    struct Cancel from "cancel.sql" -> (Id<WebhookId>, Nullable<Id<OrderingKey>>) {
        1 id: DeliveryId as Id<DeliveryId>,
    }
}

/// Cancels a pending delivery. A running attempt ends and is recorded, without consequences. `None`: the
/// delivery is not pending.
pub async fn cancel(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Option<Turns>, StoreError> {
    let cancelled: Option<(WebhookId, Option<OrderingKey>)> =
        Cancel { id }.get_result(connection).await.optional()?;
    Ok(cancelled.map(|(webhook_id, key)| {
        let mut turns = Turns::default();
        turns.add(webhook_id, key);
        turns
    }))
}

sql! {
    struct CancelPending from "cancel_pending.sql" -> Untyped {
        1 webhook_id: WebhookId as Id<WebhookId>,
        2 limit: i64 as BigInt,
    }
}

/// Cancels up to `limit` pending deliveries of a webhook. Returns their number.
pub async fn cancel_pending(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    limit: i64,
) -> Result<usize, StoreError> {
    // In portions: a webhook may have millions of pending deliveries.
    let statement = CancelPending { webhook_id, limit };
    Ok(statement.execute(connection).await?)
}
