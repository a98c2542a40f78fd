//! Sets a webhook Active or Inactive, and refuses operations on Inactive webhooks.

use webhook_domain::{WebhookId, WebhookSettings, WebhookStatus};
use webhook_store::SealingKeys;

use super::body::WebhookBody;
use super::change::Change;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;
use crate::version::IfMatch;

/// Sets the status of a webhook. The same status again changes nothing.
pub async fn set_status(
    id: WebhookId,
    status: WebhookStatus,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<WebhookBody, Refusal> {
    let change = Change {
        id,
        if_match: &IfMatch::Any,
        caller,
        sealing_keys,
    };
    let changed = change.apply(connections, |current| {
        let mut settings = current.clone();
        settings.status = status;
        Ok(settings)
    });
    changed.await
}

/// Refuses to send a replay or a test to an Inactive webhook.
pub(super) fn require_active(settings: &WebhookSettings) -> Result<(), Refusal> {
    match settings.status {
        WebhookStatus::Active => Ok(()),
        WebhookStatus::Inactive => Err(Refusal::Conflict(
            "an Inactive webhook receives no events; activate the webhook first",
        )),
    }
}
