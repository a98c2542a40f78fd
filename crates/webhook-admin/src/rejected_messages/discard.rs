//! Discards a rejected message.

use serde_json::json;
use webhook_domain::{AuditAction, RejectedMessageId};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::rejected_messages::{self, RejectedMessage};
use webhook_store::transaction;

use super::find::find_rejected_message;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// Deletes a rejected message with its body.
pub async fn discard_rejected_message(
    id: RejectedMessageId,
    caller: &Caller,
    connections: &Connections,
) -> Result<(), Refusal> {
    let (message, _) = find_rejected_message(id, connections).await?;
    let action = AuditAction::RejectedMessageDiscarded;
    if delete_message(connections, &message, action, caller).await? {
        Ok(())
    } else {
        Err(Refusal::NotFound("rejected message"))
    }
}

/// Deletes a message and records the action in the audit log. `false`: another request has deleted the
/// message already.
pub(super) async fn delete_message(
    connections: &Connections,
    message: &RejectedMessage,
    action: AuditAction,
    caller: &Caller,
) -> Result<bool, Refusal> {
    let mut connection = connections.acquire().await?;
    transaction(&mut connection, async |connection| {
        let is_deleted = rejected_messages::delete(connection, &[message.id]).await? == 1;
        if is_deleted {
            let entry = AuditEntry {
                // Without the body, which may hold personal data or secrets.
                before: Some(json!({
                    "reason": message.reason, "routing_key": message.routing_key,
                    "body_bytes": message.body_bytes, "rejected_at": message.rejected_at
                })),
                ..AuditEntry::new(action, &message.id.to_string())
            };
            audit::insert(connection, &caller.actor(), &entry).await?;
        }
        Ok(is_deleted)
    })
    .await
}
