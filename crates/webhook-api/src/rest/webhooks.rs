//! `/api/v1/webhooks`: webhooks are listed, created, read, changed and deleted.

use actix_web::http::header::ETAG;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::creation::CreationRequest;
use webhook_admin::url_rules::UrlRules;
use webhook_admin::version::etag;
use webhook_admin::webhooks::{
    self, Change, CreateWebhook, CreatedWebhook, HealthPage, ListWebhooks, MAX_WEBHOOK_BYTES,
    PatchWebhook, ReplaceWebhook, WebhookBody,
};
use webhook_domain::{WebhookId, WebhookSettings, WebhookStatus};
use webhook_store::SealingKeys;
use webhook_web::body::Body;
use webhook_web::creation::{IdempotencyHeader, respond_created};
use webhook_web::if_match::IfMatchHeader;
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

pub(crate) mod bulk;
pub(crate) mod diagnosis;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod preview;
pub(crate) mod replay;
pub(crate) mod secret;
pub(crate) mod templates;
pub(crate) mod test_event;
pub(crate) mod url;

/// Lists webhooks.
///
/// A webhook that is created or deleted meanwhile shifts no other webhook to another page.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "Webhooks", params(ListWebhooks),
    responses((status = 200, body = HealthPage), Refusals)
)]
pub(crate) async fn list_webhooks(
    request: HttpRequest,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<Json<HealthPage>, Problem> {
    let list = ListWebhooks::parse(request.query_string())?;
    let page = webhooks::list_webhooks(list, &connections, &sealing_keys).await?;
    Ok(Json(page))
}

/// Creates a webhook.
///
/// The webhook receives every matching event that is published after the response. The response holds
/// the webhook's secret.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "Webhooks", request_body = CreateWebhook,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Creates the webhook once, however often the request is sent within 24 hours", min_length = 1, max_length = 255, pattern = "^[!-~]+$")
    ),
    responses(
        (status = 201, body = CreatedWebhook, headers(
            ("Location" = String, description = "The path of the webhook"),
            ("ETag" = String, description = "The version of the webhook")
        )),
        Refusals
    )
)]
pub(crate) async fn create_webhook(
    IdempotencyHeader(idempotency_key): IdempotencyHeader,
    body: Body<MAX_WEBHOOK_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let request = CreationRequest {
        key: &idempotency_key,
        body: &body.0,
    };
    let creation =
        webhooks::create_webhook(request, &url_rules, &caller, &connections, &sealing_keys).await?;
    Ok(respond_created(creation))
}

/// Reads a webhook.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}", tag = "Webhooks", params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = WebhookBody, headers(("ETag" = String, description = "The version of the webhook"))),
        Refusals
    )
)]
pub(crate) async fn find_webhook(
    PathId(id): PathId<WebhookId>,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    Ok(respond(webhooks::find_webhook(id, &connections).await?))
}

/// Replaces all settings of a webhook.
///
/// A secret URL stays if `url` repeats the URL as responses show it.
#[utoipa::path(
    put, path = "/api/v1/webhooks/{id}", tag = "Webhooks", request_body = ReplaceWebhook,
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for")
    ),
    responses(
        (status = 200, body = WebhookBody, headers(("ETag" = String, description = "The new version of the webhook"))),
        Refusals
    )
)]
pub(crate) async fn replace_webhook(
    PathId(id): PathId<WebhookId>,
    IfMatchHeader(if_match): IfMatchHeader,
    body: Body<MAX_WEBHOOK_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let change = Change {
        id,
        if_match: &if_match,
        caller: &caller,
        sealing_keys: &sealing_keys,
    };
    let replacement = |current: &WebhookSettings| {
        ReplaceWebhook::parse(&body.0, current, &url_rules).map(|replacement| replacement.settings)
    };
    Ok(respond(change.apply(&connections, replacement).await?))
}

/// Changes parts of a webhook's settings.
///
/// The body is a JSON merge patch (RFC 7396).
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{id}", tag = "Webhooks",
    request_body(content(
        (PatchWebhook = "application/merge-patch+json"), (PatchWebhook = "application/json")
    )),
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for")
    ),
    responses(
        (status = 200, body = WebhookBody, headers(("ETag" = String, description = "The new version of the webhook"))),
        Refusals
    )
)]
pub(crate) async fn patch_webhook(
    PathId(id): PathId<WebhookId>,
    IfMatchHeader(if_match): IfMatchHeader,
    body: Body<MAX_WEBHOOK_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let change = Change {
        id,
        if_match: &if_match,
        caller: &caller,
        sealing_keys: &sealing_keys,
    };
    let patch = |current: &WebhookSettings| {
        PatchWebhook::parse(&body.0, current, &url_rules).map(|patch| patch.settings)
    };
    Ok(respond(change.apply(&connections, patch).await?))
}

/// Deletes a webhook.
///
/// Pending deliveries are cancelled and the secrets are erased; deliveries and the audit trail can
/// still be read.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{id}", tag = "Webhooks",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the deletion is meant for")
    ),
    responses((status = 204), Refusals)
)]
pub(crate) async fn delete_webhook(
    PathId(id): PathId<WebhookId>,
    IfMatchHeader(if_match): IfMatchHeader,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    webhooks::delete_webhook(id, &if_match, &caller, &connections).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sets a webhook Active.
///
/// Pending deliveries continue, and the circuit is closed. An Active webhook stays unchanged.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/activate", tag = "Webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = WebhookBody), Refusals)
)]
pub(crate) async fn activate_webhook(
    PathId(id): PathId<WebhookId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let active = WebhookStatus::Active;
    let changed = webhooks::set_status(id, active, &caller, &connections, &sealing_keys);
    Ok(respond(changed.await?))
}

/// Sets a webhook Inactive.
///
/// Events that are published after the response are skipped, and pending deliveries wait. An Inactive
/// webhook stays unchanged.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/deactivate", tag = "Webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = WebhookBody), Refusals)
)]
pub(crate) async fn deactivate_webhook(
    PathId(id): PathId<WebhookId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let inactive = WebhookStatus::Inactive;
    let changed = webhooks::set_status(id, inactive, &caller, &connections, &sealing_keys);
    Ok(respond(changed.await?))
}

/// The response with a webhook, and the version as `ETag`.
fn respond(webhook: WebhookBody) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, etag(webhook.version)))
        .json(webhook)
}
