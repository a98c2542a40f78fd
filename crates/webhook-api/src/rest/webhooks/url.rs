//! `/api/v1/webhooks/{id}/url`: the whole target URL is shown.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, UrlBody};
use webhook_domain::WebhookId;
use webhook_store::SealingKeys;
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

/// Shows the whole URL of a webhook.
///
/// The audit log records who has seen a secret URL.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/url", tag = "Webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = UrlBody), Refusals)
)]
pub(crate) async fn show_url(
    PathId(id): PathId<WebhookId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let url: UrlBody = webhooks::show_url(id, &caller, &connections, &sealing_keys).await?;
    Ok(HttpResponse::Ok()
        // No cache on the way may keep a secret.
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(url))
}
