//! Operations on a delivery in the audit log.

use webhook_domain::AuditAction;
use webhook_store::RawConnection;
use webhook_store::audit::{self, AuditEntry};
use webhook_store::deliveries::DeliveryRow;

use crate::caller::Caller;
use crate::refusal::Refusal;

/// Records that the caller retried or cancelled a delivery, with the delivery's status before.
pub(super) async fn record(
    connection: &mut RawConnection,
    caller: &Caller,
    action: AuditAction,
    delivery: &DeliveryRow,
) -> Result<(), Refusal> {
    let entry = AuditEntry {
        webhook_id: Some(delivery.webhook_id),
        before: Some(serde_json::json!({"status": delivery.status})),
        after: Some(serde_json::json!({"delivery_id": delivery.id})),
        ..AuditEntry::new(action, &delivery.webhook_name)
    };
    audit::insert(connection, &caller.actor(), &entry).await?;
    Ok(())
}
