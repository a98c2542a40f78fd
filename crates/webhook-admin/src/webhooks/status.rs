//! Sets a webhook Active or Inactive.

use webhook_domain::{WebhookId, WebhookStatus};
use webhook_store::SealingKeys;

use super::body::WebhookBody;
use super::change::Change;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;
use crate::version::IfMatch;

/// Sets the status of a webhook, which may have the status already.
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
