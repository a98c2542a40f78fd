//! `/api/v1/webhooks/bulk`: one change of many webhooks.

use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, BulkResults, ChangeWebhooks, MAX_BULK_BYTES};
use webhook_store::SealingKeys;
use webhook_web::body::Body;
use webhook_web::{Authenticated, Problem};

use crate::refusals::Refusals;

/// Changes or deletes many webhooks.
///
/// Each webhook is changed on its own: a webhook that cannot be changed does not stop the others.
#[utoipa::path(
    post, path = "/api/v1/webhooks/bulk", tag = "Webhooks", request_body = ChangeWebhooks,
    responses((status = 200, body = BulkResults), Refusals)
)]
pub(crate) async fn change_webhooks(
    body: Body<MAX_BULK_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<Json<BulkResults>, Problem> {
    let change = ChangeWebhooks::parse(&body.0)?;
    let results = webhooks::change_webhooks(&change, &caller, &connections, &sealing_keys);
    Ok(Json(results.await?))
}
