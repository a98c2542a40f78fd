//! Deletes a webhook.

use webhook_domain::{AuditAction, WebhookId};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{RawConnection, transaction, webhooks};

use super::change::{lock, settings_fields};
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;
use crate::version::IfMatch;

/// Deletes a webhook. Pending deliveries are cancelled and the secrets are erased; deliveries and the
/// audit trail can still be read.
pub async fn delete_webhook(
    id: WebhookId,
    if_match: &IfMatch,
    caller: &Caller,
    connections: &Connections,
) -> Result<(), Refusal> {
    let mut connection = connections.acquire().await?;
    delete_over(&mut connection, id, if_match, caller).await
}

/// Deletes a webhook over the caller's connection, in a new transaction.
pub(super) async fn delete_over(
    connection: &mut RawConnection,
    id: WebhookId,
    if_match: &IfMatch,
    caller: &Caller,
) -> Result<(), Refusal> {
    transaction(connection, async |connection| {
        let webhook = lock(connection, id, if_match).await?;
        let cancelled = webhooks::delete(connection, id).await?;
        log::info!(webhook_id:% = id; "webhook {id} was deleted, {cancelled} deliveries cancelled");
        let entry = AuditEntry {
            webhook_id: Some(id),
            before: Some(settings_fields(&webhook.settings).into()),
            ..AuditEntry::new(AuditAction::WebhookDeleted, webhook.settings.name.as_str())
        };
        audit::insert(connection, &caller.actor(), &entry).await?;
        Ok(())
    })
    .await
}
