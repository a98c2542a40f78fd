//! Finds a webhook by id.

use webhook_domain::WebhookId;
use webhook_store::RawConnection;
use webhook_store::webhooks::{self, Webhook};

use super::body::{WebhookBody, with_count};
use crate::connections::Connections;
use crate::refusal::Refusal;

/// Finds a webhook, with the counts of the last 24 hours.
pub async fn find_webhook(
    id: WebhookId,
    connections: &Connections,
) -> Result<WebhookBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    with_count(&mut connection, webhook).await
}

/// Finds the stored row of a webhook.
pub async fn find_stored(
    connection: &mut RawConnection,
    id: WebhookId,
) -> Result<Webhook, Refusal> {
    let webhook = webhooks::find(connection, id).await?;
    webhook.ok_or(Refusal::NotFound("webhook"))
}
