//! A webhook is changed or deleted.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::{Map, Value};
use webhook_domain::{AuditAction, WebhookId, WebhookSettings};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::webhooks::{self, Webhook};
use webhook_store::{RawConnection, SealingKeys, transaction};
use webhook_web::if_match::IfMatchHeader;

use super::documents::{PatchWebhook, ReplaceWebhook};
use super::read::parse_id;
use super::settings::{MAX_BYTES, parse_patch, parse_replacement};
use super::{SettingsBody, WebhookBody, answer, with_count};
use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::url_rules::UrlRules;
use webhook_admin::version::IfMatch;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::body::Body;

/// Replaces all settings of a webhook.
#[utoipa::path(
    put, path = "/api/v1/webhooks/{id}", tag = "webhooks", request_body = ReplaceWebhook,
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for")
    ),
    responses(
        (status = 200, body = WebhookBody, headers(("ETag" = String, description = "Its new version"))),
        Refusals
    )
)]
pub(crate) async fn replace_webhook(
    id: Path<String>,
    IfMatchHeader(if_match): IfMatchHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let settings = parse_replacement(&body.0, &url_rules)?;
    let change = Change {
        id: parse_id(&id)?,
        if_match: &if_match,
        caller: &caller,
        keys: &keys,
    };
    change
        .apply(&connections, |_| Ok(settings))
        .await
        .map(answer)
        .map_err(Problem::from)
}

/// Changes parts of a webhook: a JSON merge patch (RFC 7396).
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    request_body(content(
        (PatchWebhook = "application/merge-patch+json"), (PatchWebhook = "application/json")
    )),
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for")
    ),
    responses(
        (status = 200, body = WebhookBody, headers(("ETag" = String, description = "Its new version"))),
        Refusals
    )
)]
pub(crate) async fn patch_webhook(
    id: Path<String>,
    IfMatchHeader(if_match): IfMatchHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let change = Change {
        id: parse_id(&id)?,
        if_match: &if_match,
        caller: &caller,
        keys: &keys,
    };
    let patch = |current: &WebhookSettings| parse_patch(&body.0, current, &url_rules);
    change
        .apply(&connections, patch)
        .await
        .map(answer)
        .map_err(Problem::from)
}

/// Deletes a webhook. Its pending deliveries are cancelled; its deliveries and its audit trail can
/// still be read; its secrets are gone.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the deletion is meant for")
    ),
    responses((status = 204), Refusals)
)]
pub(crate) async fn delete_webhook(
    id: Path<String>,
    IfMatchHeader(if_match): IfMatchHeader,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    let mut connection = connections.acquire().await?;
    delete(&mut connection, id, &if_match, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A change of one webhook, by whom, and of which version.
pub(crate) struct Change<'a> {
    pub(crate) id: WebhookId,
    pub(crate) if_match: &'a IfMatch,
    pub(crate) caller: &'a Caller,
    pub(crate) keys: &'a SealingKeys,
}

impl Change<'_> {
    /// Does it in a transaction, and reads what became of the webhook.
    pub(crate) async fn apply(
        &self,
        connections: &Connections,
        decide: impl FnOnce(&WebhookSettings) -> Result<WebhookSettings, Refusal>,
    ) -> Result<WebhookBody, Refusal> {
        let mut connection = connections.acquire().await?;
        let changed = transaction(&mut connection, async |connection| {
            self.apply_within(connection, decide).await?;
            webhooks::find(connection, self.id)
                .await
                .map_err(Refusal::from)
        });
        let webhook = changed.await?.ok_or(Refusal::NotFound("webhook"))?;
        with_count(&mut connection, webhook).await
    }

    /// Does it in the caller's transaction: what is to be is decided while nobody else can change
    /// the webhook, and it is written down with what was before. `false`: it was so already.
    pub(super) async fn apply_within(
        &self,
        connection: &mut RawConnection,
        decide: impl FnOnce(&WebhookSettings) -> Result<WebhookSettings, Refusal>,
    ) -> Result<bool, Refusal> {
        let before = lock(connection, self.id, self.if_match).await?;
        let after = decide(&before.settings)?;
        let changed = webhooks::save(connection, self.keys, &before, &after).await?;
        if changed {
            let (old, new) = difference(&before.settings, &after);
            let entry = AuditEntry {
                webhook_id: Some(self.id),
                before: Some(old.into()),
                after: Some(new.into()),
                ..AuditEntry::new(AuditAction::WebhookUpdated, after.name.as_str())
            };
            audit::insert(connection, &self.caller.actor(), &entry).await?;
        }
        Ok(changed)
    }
}

/// Deletes a webhook in a transaction of its own.
pub(crate) async fn delete(
    connection: &mut RawConnection,
    id: WebhookId,
    if_match: &IfMatch,
    caller: &Caller,
) -> Result<(), Refusal> {
    transaction(connection, async |connection| {
        let webhook = lock(connection, id, if_match).await?;
        let cancelled = webhooks::delete(connection, id).await?;
        log::info!(webhook_id:% = id; "webhook {id} was deleted, {cancelled} deliveries cancelled");
        let settings = serde_json::to_value(SettingsBody::from(&webhook.settings));
        let entry = AuditEntry {
            webhook_id: Some(id),
            before: Some(settings.expect("our bodies are JSON")),
            ..AuditEntry::new(AuditAction::WebhookDeleted, webhook.settings.name.as_str())
        };
        audit::insert(connection, &caller.actor(), &entry).await?;
        Ok(())
    })
    .await
}

/// Keeps everybody else from changing a webhook, and checks that it is the version that is meant.
pub(super) async fn lock(
    connection: &mut RawConnection,
    id: WebhookId,
    if_match: &IfMatch,
) -> Result<Webhook, Refusal> {
    let webhook = webhooks::lock(connection, id).await?;
    let webhook = webhook.ok_or(Refusal::NotFound("webhook"))?;
    if_match.check(webhook.version)?;
    Ok(webhook)
}

/// What differs between two settings, as it was and as it is. That a header got another value is
/// told, the value is not.
pub(super) fn difference(
    before: &WebhookSettings,
    after: &WebhookSettings,
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut old, mut new) = (fields(before), fields(after));
    let same: Vec<String> = old
        .iter()
        .filter(|(name, value)| new.get(*name) == Some(value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        old.remove(&name);
        new.remove(&name);
    }
    if before.headers != after.headers {
        let names = |settings: &WebhookSettings| settings.headers.names().collect::<Value>();
        old.insert("header_names".to_owned(), names(before));
        new.insert("header_names".to_owned(), names(after));
    }
    (old, new)
}

fn fields(settings: &WebhookSettings) -> Map<String, Value> {
    match serde_json::to_value(SettingsBody::from(settings)) {
        Ok(Value::Object(fields)) => fields,
        _ => unreachable!("settings are an object"),
    }
}
