//! Saves the settings of a webhook and a new secret together.

use webhook_domain::WebhookSettings;
use webhook_store::transaction;

use super::body::WebhookBody;
use super::change::Change;
use super::find::find_stored;
use super::secret::{RotateSecret, rotate_locked};
use super::warnings::with_warnings;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// Changes the settings of a webhook as [`Change::apply`] does, and replaces the secret in the same
/// transaction: a refused change keeps the old secret.
pub async fn save_webhook(
    change: &Change<'_>,
    connections: &Connections,
    decide: impl FnOnce(&WebhookSettings) -> Result<WebhookSettings, Refusal>,
    rotation: Option<RotateSecret>,
) -> Result<WebhookBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let saved = transaction(&mut connection, async |connection| {
        // The row is locked from here on, so the rotation belongs to the settings above it.
        change.apply_within(connection, decide).await?;
        let webhook = find_stored(connection, change.id).await?;
        if let Some(rotation) = rotation {
            let (caller, keys) = (change.caller, change.sealing_keys);
            rotate_locked(connection, &webhook, rotation, caller, keys).await?;
        }
        Ok::<_, Refusal>(webhook)
    });
    let webhook = saved.await?;
    with_warnings(&mut connection, change.sealing_keys, webhook).await
}
