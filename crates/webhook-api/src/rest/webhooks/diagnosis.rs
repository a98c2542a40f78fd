//! `/api/v1/webhooks/{id}/diagnosis`: why a webhook may not receive events.

use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, Diagnosis};
use webhook_domain::WebhookId;
use webhook_web::{PathId, Problem};

use crate::refusals::Refusals;

/// Looks for what keeps events from a webhook: its status, the latest events of its types, its pending
/// deliveries, the latest responses, DNS and TLS of its URL now (a dispatcher checks, without sending a
/// request), and rejected messages.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/diagnosis", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Diagnosis), Refusals)
)]
pub(crate) async fn diagnose_webhook(
    PathId(id): PathId<WebhookId>,
    connections: Data<Connections>,
) -> Result<Json<Diagnosis>, Problem> {
    Ok(Json(webhooks::diagnose_webhook(id, &connections).await?))
}
