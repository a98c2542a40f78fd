//! `/api/v1/webhooks/import`: an exported document is imported.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::url_rules::UrlRules;
use webhook_admin::webhooks::{self, ImportDocument, ImportResult, ImportTarget, MAX_IMPORT_BYTES};
use webhook_store::SealingKeys;
use webhook_web::body::Body;
use webhook_web::{Authenticated, Problem};

use crate::refusals::Refusals;

/// Imports webhooks into an environment.
///
/// Nothing is changed when one of the webhooks is refused. Webhooks are written in transactions of 50:
/// if the database goes away in between, import the document again.
#[utoipa::path(
    post, path = "/api/v1/webhooks/import", tag = "Webhooks", params(ImportTarget),
    request_body = ImportDocument,
    responses((status = 200, body = ImportResult), Refusals)
)]
pub(crate) async fn import_webhooks(
    request: HttpRequest,
    body: Body<MAX_IMPORT_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<Json<ImportResult>, Problem> {
    let target = ImportTarget::parse(request.query_string())?;
    let document = ImportDocument::parse(&body.0, target.environment, &url_rules)?;
    let imported =
        webhooks::import_webhooks(&target, &document, &caller, &connections, &sealing_keys);
    Ok(Json(imported.await?))
}
