//! A step of a retry, the job that makes deliveries due again.

use diesel_async::AsyncPgConnection;
use serde_json::{Value, json};
use webhook_domain::{DeliveryId, DeliveryStatus};

use super::step::Step;
use crate::StoreError;
use crate::error::unreadable;
use crate::tables::deliveries::{DeliveryFilter, Order, PageStart, RetryRequest, list, make_due};
use crate::tables::jobs::Job;

/// Makes the next deliveries due, oldest first.
pub(super) async fn step(
    connection: &mut AsyncPgConnection,
    job: &Job,
    filter: &DeliveryFilter,
    position: Option<Value>,
) -> Result<Step, StoreError> {
    let limit = i64::from(job.rate.step());
    let place = PageStart {
        order: Order::Oldest,
        after: position.map(read_position).transpose()?,
        limit,
    };
    let rows = list(connection, filter, &place).await?;
    let deliveries: Vec<(DeliveryId, DeliveryStatus)> =
        rows.iter().map(|row| (row.id, row.status)).collect();
    let request = RetryRequest {
        deliveries: &deliveries,
        actor_name: &job.actor_name,
        job_id: Some(job.id),
    };
    // A delivery may have been retried or removed since the list: make_due leaves such ones alone.
    let due = make_due(connection, &request).await?;
    // A short page is the last one.
    let more = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let last = rows.last().filter(|_| more);
    Ok(Step {
        done: due.ids.len(),
        skipped: rows.len() - due.ids.len(),
        position: last.map(|row| json!(row.id)),
        turns: due.turns,
    })
}

fn read_position(position: Value) -> Result<DeliveryId, StoreError> {
    serde_json::from_value(position).map_err(unreadable)
}
