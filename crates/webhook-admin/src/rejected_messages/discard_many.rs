//! Discards all rejected messages of a selection.

use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::AuditAction;
use webhook_store::{audit, rejected_messages, transaction};

use super::selection::{SelectRejectedMessages, audit_entry};
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// The result of discarding messages.
#[derive(Serialize, ToSchema)]
pub struct RejectedMessagesDiscarded {
    /// The number of deleted messages; with `dry_run` the number of matching messages.
    pub discarded: i64,
}

/// Deletes the messages of a selection and their bodies.
pub async fn discard_rejected_messages(
    selection: &SelectRejectedMessages,
    caller: &Caller,
    connections: &Connections,
) -> Result<RejectedMessagesDiscarded, Refusal> {
    let filter = selection.filter();
    let mut connection = connections.acquire().await?;
    if selection.dry_run {
        let counts = rejected_messages::count(&mut connection, &filter).await?;
        let discarded = counts.all;
        return Ok(RejectedMessagesDiscarded { discarded });
    }
    let deleted = transaction(&mut connection, async |connection| {
        let deleted = rejected_messages::delete_all(connection, &filter).await?;
        if deleted > 0 {
            let entry = audit_entry(AuditAction::RejectedMessagesDiscarded, &filter, deleted);
            audit::insert(connection, &caller.actor(), &entry).await?;
        }
        Ok::<_, Refusal>(deleted)
    });
    let discarded = i64::try_from(deleted.await?).unwrap_or(i64::MAX);
    Ok(RejectedMessagesDiscarded { discarded })
}
