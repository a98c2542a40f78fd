//! Creates a webhook.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{AuditAction, SigningSecret, WebhookId, WebhookSettings};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{RawConnection, SealingKeys, webhooks};

use super::body::{WebhookBody, with_count};
use super::change::settings_fields;
use super::find::find_stored;
use super::requests::CreateWebhook;
use super::warnings::list_warnings;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::creation::{Created, Creation, CreationRequest, create_once};
use crate::refusal::Refusal;
use crate::schema;
use crate::url_rules::UrlRules;

/// The path of all webhooks in the API.
const COLLECTION: &str = "/api/v1/webhooks";

/// A new webhook, with the secret.
#[derive(Serialize, ToSchema)]
pub struct CreatedWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookBody,
    /// The secret to verify requests with.
    #[schema(value_type = schema::SecretText)]
    pub secret: String,
}

/// Creates the webhook that a [`CreateWebhook`] describes, once per idempotency key. The webhook
/// receives every matching event that is published after the creation.
pub async fn create_webhook(
    request: CreationRequest<'_>,
    url_rules: &UrlRules,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<Creation, Refusal> {
    // A wrong document is refused before a connection is taken from the pool.
    let CreateWebhook { settings, secret } = CreateWebhook::parse(request.body, url_rules)?;
    let secret = secret.unwrap_or_else(generate_secret);
    let mut connection = connections.acquire().await?;
    // Outside of the transaction, which a failed statement would end.
    let warnings = list_warnings(&mut connection, &settings, settings.url.known()).await;
    let make = async |connection: &mut RawConnection| {
        let id = insert(connection, (&settings, &secret), caller, sealing_keys).await?;
        let webhook = find_stored(connection, id).await?;
        let version = webhook.version;
        let created = CreatedWebhook {
            webhook: WebhookBody {
                warnings: warnings.clone(),
                ..with_count(connection, webhook).await?
            },
            secret: secret.reveal().to_owned(),
        };
        Ok(Created::of(id.0, COLLECTION, Some(version), &created))
    };
    create_once(&mut connection, sealing_keys, caller, request, make).await
}

/// Stores a webhook and an entry in the audit log, in the caller's transaction.
pub(super) async fn insert(
    connection: &mut RawConnection,
    (settings, secret): (&WebhookSettings, &SigningSecret),
    caller: &Caller,
    sealing_keys: &SealingKeys,
) -> Result<WebhookId, Refusal> {
    let id = WebhookId(Uuid::now_v7());
    webhooks::insert(connection, sealing_keys, id, settings, secret).await?;
    let entry = AuditEntry {
        webhook_id: Some(id),
        after: Some(settings_fields(settings).into()),
        ..AuditEntry::new(AuditAction::WebhookCreated, settings.name.as_str())
    };
    audit::insert(connection, &caller.actor(), &entry).await?;
    Ok(id)
}

/// A new random secret.
pub fn generate_secret() -> SigningSecret {
    SigningSecret::from_random(rand::random())
}
