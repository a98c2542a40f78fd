//! Cancels a delivery.

use webhook_domain::{AuditAction, DeliveryId};
use webhook_metrics::catalogue::DELIVERIES_ENDED;
use webhook_store::ordering::release_heads;
use webhook_store::{deliveries, transaction};

use super::body::DeliveryBody;
use super::recorded::record;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// Cancels a pending delivery: no further attempt is scheduled. Attempts running or queued in a
/// dispatcher are still made and recorded, and do not change the delivery.
pub async fn cancel_delivery(
    id: DeliveryId,
    caller: &Caller,
    connections: &Connections,
) -> Result<DeliveryBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let cancelled = transaction(&mut connection, async |connection| {
        let found = deliveries::find(connection, id).await?;
        let delivery = found.ok_or(Refusal::NotFound("delivery"))?;
        let cancelled = deliveries::cancel(connection, id).await?;
        let turns = cancelled.ok_or(Refusal::Conflict(
            "only a pending delivery can be cancelled",
        ))?;
        record(
            connection,
            caller,
            AuditAction::DeliveryCancelled,
            &delivery,
        )
        .await?;
        Ok::<_, Refusal>(turns)
    });
    let turns = cancelled.await?;
    DELIVERIES_ENDED.add_for(&["cancelled"], 1);
    // After the commit: the turn of the ordering key is read from committed rows, where the cancelled
    // delivery has ended.
    release_heads(&mut connection, turns).await?;
    let delivery = deliveries::find(&mut connection, id).await?;
    Ok(delivery.ok_or(Refusal::NotFound("delivery"))?.into())
}
