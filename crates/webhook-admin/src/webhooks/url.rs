//! Shows the whole target URL of a webhook.

use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{AuditAction, TargetUrl, WebhookId};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{RawConnection, SealingKeys, transaction, webhooks};

use super::find::find_stored;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;
use crate::schema;

/// The whole URL of a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeUrl)]
pub struct UrlBody {
    /// The URL that requests are sent to.
    #[schema(value_type = schema::UrlText)]
    pub url: String,
    /// Whether the URL is a password.
    pub url_is_secret: bool,
}

/// Shows the whole URL of a webhook. The audit log records who has seen a secret URL.
pub async fn show_url(
    id: WebhookId,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<UrlBody, Refusal> {
    let mut connection = connections.acquire().await?;
    // One transaction: no secret URL is shown without an entry in the audit log.
    transaction(&mut connection, async |connection| {
        let webhook = find_stored(connection, id).await?;
        let url = find_whole_url(connection, id, sealing_keys).await?;
        if url.is_secret() {
            let entry = AuditEntry {
                webhook_id: Some(id),
                ..AuditEntry::new(AuditAction::UrlRead, webhook.settings.name.as_str())
            };
            audit::insert(connection, &caller.actor(), &entry).await?;
        }
        Ok(UrlBody {
            url: url.reveal().as_str().to_owned(),
            url_is_secret: url.is_secret(),
        })
    })
    .await
}

/// Finds the whole URL of a webhook, for an operation that shows no secret.
pub async fn find_whole_url(
    connection: &mut RawConnection,
    id: WebhookId,
    sealing_keys: &SealingKeys,
) -> Result<TargetUrl, Refusal> {
    let url = webhooks::find_url(connection, sealing_keys, id).await?;
    url.ok_or(Refusal::NotFound("webhook"))
}
