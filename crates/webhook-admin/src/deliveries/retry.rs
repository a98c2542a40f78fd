//! Retries a delivery.

use webhook_domain::{AuditAction, DeliveryId, DeliveryStatus, EventId, WebhookId, WebhookStatus};
use webhook_store::deliveries::{self, DeliveryRow, DueDeliveries, RetryRequest};
use webhook_store::ordering::release_heads;
use webhook_store::{RawConnection, circuits, events, transaction, webhooks};

use super::recorded::record;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// Makes a delivery due now, and ends a hold of the webhook (`Retry-After`).
///
/// | the delivery | the effect |
/// | --- | --- |
/// | succeeded, failed, cancelled | the retry policy starts again |
/// | pending, attempted before | the next attempt is due at once |
/// | pending, never attempted | none: the first attempt is on the way |
pub async fn retry_delivery(
    id: DeliveryId,
    caller: &Caller,
    connections: &Connections,
) -> Result<(), Refusal> {
    let mut connection = connections.acquire().await?;
    let due = transaction(&mut connection, async |connection| {
        let found = deliveries::find(connection, id).await?;
        let delivery = found.ok_or(Refusal::NotFound("delivery"))?;
        // Ended first, also for a delivery whose first attempt waits for nothing but the hold.
        let hold_ended = circuits::end_hold(connection, delivery.webhook_id).await?;
        if delivery.status == DeliveryStatus::Pending && delivery.attempts == 0 {
            if hold_ended {
                record(connection, caller, AuditAction::DeliveryRetried, &delivery).await?;
            }
            return Ok(DueDeliveries::default());
        }
        check_sendable(connection, delivery.webhook_id, delivery.event_id).await?;
        make_due(connection, caller, &delivery).await
    });
    let due: DueDeliveries = due.await?;
    // After the commit: the turn of an ordering key is read from committed rows. The retry is committed
    // and audited, so an error is no refusal: the sweep releases the key later.
    if let Err(error) = release_heads(&mut connection, due.turns).await {
        log::warn!(delivery_id:% = id; "cannot release the ordering key of delivery {id}: {error}");
    }
    // No signal to the claims: their poll finds the delivery within 250 ms.
    Ok(())
}

async fn make_due(
    connection: &mut RawConnection,
    caller: &Caller,
    delivery: &DeliveryRow,
) -> Result<DueDeliveries, Refusal> {
    let request = RetryRequest {
        deliveries: &[(delivery.id, delivery.status)],
        actor_name: caller.name(),
        job_id: None,
    };
    let due = deliveries::make_due(connection, &request).await?;
    // The statement skips a delivery with another status than the one read: a worker may have ended the
    // delivery since.
    if due.ids.is_empty() {
        return Err(Refusal::Conflict(
            "the delivery was changed in the meantime; load the delivery again",
        ));
    }
    let action = match delivery.status {
        DeliveryStatus::Succeeded => AuditAction::DeliveryResent,
        DeliveryStatus::Pending | DeliveryStatus::Failed | DeliveryStatus::Cancelled => {
            AuditAction::DeliveryRetried
        }
    };
    record(connection, caller, action, delivery).await?;
    Ok(due)
}

/// Refuses a retry for a deleted or Inactive webhook, or without the event's body: no attempt would
/// follow.
async fn check_sendable(
    connection: &mut RawConnection,
    webhook_id: WebhookId,
    event_id: EventId,
) -> Result<(), Refusal> {
    let webhook = webhooks::find(connection, webhook_id).await?;
    let webhook = webhook.ok_or(Refusal::Conflict("the webhook was deleted"))?;
    if webhook.settings.status == WebhookStatus::Inactive {
        return Err(Refusal::Conflict(
            "the webhook is Inactive; activate the webhook first",
        ));
    }
    if events::find_body(connection, event_id).await?.is_none() {
        return Err(Refusal::Conflict("the event is no longer stored"));
    }
    Ok(())
}
