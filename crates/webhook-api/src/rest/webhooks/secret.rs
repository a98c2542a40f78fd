//! `/api/v1/webhooks/{id}/secret`: the signing secret is shown and replaced.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, RotateSecret, SecretBody};
use webhook_domain::WebhookId;
use webhook_store::SealingKeys;
use webhook_web::body::Body;
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

/// The most bytes of a rotation in JSON.
const MAX_BYTES: usize = 1_024;

/// Shows the secret of a webhook.
///
/// The audit log records who has seen the secret.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/secret", tag = "Webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = SecretBody), Refusals)
)]
pub(crate) async fn show_secret(
    PathId(id): PathId<WebhookId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let secret = webhooks::show_secret(id, &caller, &connections, &sealing_keys);
    Ok(respond(&secret.await?))
}

/// Generates a new secret for a webhook.
///
/// Until the grace period ends, requests are signed with both secrets, so that a receiver can switch at
/// any time.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/secret/rotate", tag = "Webhooks", request_body = RotateSecret,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = SecretBody), Refusals)
)]
pub(crate) async fn rotate_secret(
    PathId(id): PathId<WebhookId>,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let rotation = RotateSecret::parse(&body.0)?;
    let rotated = webhooks::rotate_secret(id, rotation, &caller, &connections, &sealing_keys);
    Ok(respond(&rotated.await?))
}

fn respond(secret: &SecretBody) -> HttpResponse {
    HttpResponse::Ok()
        // No cache on the way may keep a secret.
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(secret)
}
