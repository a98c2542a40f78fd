//! `/api/v1/webhooks/{id}/diagnosis`: why a webhook may not receive events.

use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, Diagnosis};
use webhook_domain::WebhookId;
use webhook_store::SealingKeys;
use webhook_web::{PathId, Problem};

use crate::refusals::Refusals;

/// Checks why a webhook may not receive events.
///
/// The checks: the status of the webhook, the latest events of subscribed types, pending deliveries,
/// the latest responses, DNS and TLS of the URL now (a dispatcher connects, without sending a request),
/// and rejected messages.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/diagnosis", tag = "Webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Diagnosis), Refusals)
)]
pub(crate) async fn diagnose_webhook(
    PathId(id): PathId<WebhookId>,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<Json<Diagnosis>, Problem> {
    let diagnosis = webhooks::diagnose_webhook(id, &connections, &sealing_keys).await?;
    Ok(Json(diagnosis))
}
