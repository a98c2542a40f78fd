//! A webhook is made.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{AuditAction, SigningSecret, WebhookId, WebhookSettings};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{RawConnection, SealingKeys, webhooks};
use webhook_web::creation::{IdempotencyHeader, respond_created};

use super::documents::CreateWebhook;
use super::settings::{MAX_BYTES, parse_new};
use super::{SettingsBody, WebhookBody, with_count};
use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::creation::{Created, Creation, IdempotencyKey, create_once};
use webhook_admin::schema;
use webhook_admin::url_rules::UrlRules;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::body::Body;

/// A webhook that was just made, with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedWebhook {
    #[serde(flatten)]
    webhook: WebhookBody,
    /// What its requests are signed with.
    #[schema(value_type = schema::SecretText)]
    secret: String,
}

/// Makes a webhook. It gets every matching event that is published after this answer.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "webhooks", request_body = CreateWebhook,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it once, however often it is sent within 24 hours", min_length = 1, max_length = 255, pattern = "^[!-~]+$")
    ),
    responses(
        (status = 201, body = CreatedWebhook, headers(
            ("Location" = String, description = "Where it is"),
            ("ETag" = String, description = "Its version")
        )),
        Refusals
    )
)]
pub(crate) async fn create_webhook(
    IdempotencyHeader(idempotency_key): IdempotencyHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let request = (&idempotency_key, &*body.0);
    let created = create_one(request, &caller, &connections, &keys, &url_rules).await?;
    Ok(respond_created(created))
}

/// Makes the webhook that a document describes.
pub(crate) async fn create_one(
    (idempotency_key, body): (&IdempotencyKey, &[u8]),
    caller: &Caller,
    connections: &Connections,
    keys: &SealingKeys,
    url_rules: &UrlRules,
) -> Result<Creation, Refusal> {
    let (settings, secret) = parse_new(body, url_rules)?;
    let secret = secret.unwrap_or_else(|| SigningSecret::from_random(rand::random()));
    let mut connection = connections.acquire().await?;
    let request = (idempotency_key, body);
    create_once(&mut connection, keys, caller, request, async |connection| {
        let id = create(connection, keys, caller, &settings, &secret).await?;
        let webhook = webhooks::find(connection, id).await?;
        let webhook = webhook.ok_or(Refusal::NotFound("webhook"))?;
        let version = webhook.version;
        let created = CreatedWebhook {
            webhook: with_count(connection, webhook).await?,
            secret: secret.reveal().to_owned(),
        };
        Ok(Created::of(
            id.0,
            "/api/v1/webhooks",
            Some(version),
            &created,
        ))
    })
    .await
}

/// Stores a webhook and writes it down in the audit log, in the caller's transaction.
pub(super) async fn create(
    connection: &mut RawConnection,
    keys: &SealingKeys,
    caller: &Caller,
    settings: &WebhookSettings,
    secret: &SigningSecret,
) -> Result<WebhookId, Refusal> {
    let id = WebhookId(Uuid::now_v7());
    webhooks::insert(connection, keys, id, settings, secret).await?;
    let after = serde_json::to_value(SettingsBody::from(settings));
    let entry = AuditEntry {
        webhook_id: Some(id),
        after: Some(after.expect("our bodies are JSON")),
        ..AuditEntry::new(AuditAction::WebhookCreated, settings.name.as_str())
    };
    audit::insert(connection, &caller.actor(), &entry).await?;
    Ok(id)
}
