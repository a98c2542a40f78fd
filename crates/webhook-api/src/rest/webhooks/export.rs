//! `/api/v1/webhooks/export`: all webhooks of an environment as one document.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, ExportWebhooks, WebhooksDocument};
use webhook_store::SealingKeys;
use webhook_web::{Authenticated, Problem};

use crate::refusals::Refusals;

/// Exports all webhooks of an environment.
///
/// The document has no secrets unless an owner asks for them.
#[utoipa::path(
    get, path = "/api/v1/webhooks/export", tag = "Webhooks", params(ExportWebhooks),
    responses((status = 200, body = WebhooksDocument), Refusals)
)]
pub(crate) async fn export_webhooks(
    request: HttpRequest,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let asked = ExportWebhooks::parse(request.query_string())?;
    let document = webhooks::export_webhooks(&asked, &caller, &connections, &sealing_keys).await?;
    let environment = asked.environment;
    let file = format!("attachment; filename=\"webhooks-{environment}.json\"");
    Ok(HttpResponse::Ok()
        // The document may hold secrets: no cache on the way may keep it.
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, file))
        .json(document))
}
