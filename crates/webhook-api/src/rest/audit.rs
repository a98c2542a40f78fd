//! `/api/v1/audit`: the audit log.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::audit::{self, AuditBody, ListAudit};
use webhook_admin::lists::Page;
use webhook_web::Problem;

use crate::refusals::Refusals;

/// Lists changes, newest first.
///
/// The changes of webhooks, settings, retry policies and API keys, each with its author.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "Audit log", params(ListAudit),
    responses((status = 200, body = Page<AuditBody>), Refusals)
)]
pub(crate) async fn list_audit(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<AuditBody>>, Problem> {
    Ok(Json(
        audit::list_audit(request.query_string(), &connections).await?,
    ))
}
