//! `/api/v1/signatures`: help for receivers.

use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::signatures::{self, VerifiedSignature, VerifySignature};
use webhook_store::SealingKeys;
use webhook_web::Problem;
use webhook_web::body::Body;

use crate::refusals::Refusals;

/// The most bytes of a request in JSON: room for the largest event, escaped.
const MAX_BYTES: usize = 1024 * 1024;

/// Tells whether a request that arrived at a webhook's URL is signed as it should be, and if not,
/// why, as far as that can be told. Give headers and body as they arrived.
#[utoipa::path(
    post, path = "/api/v1/signatures/verify", tag = "webhooks", request_body = VerifySignature,
    responses((status = 200, body = VerifiedSignature), Refusals)
)]
pub(crate) async fn verify_signature(
    body: Body<MAX_BYTES>,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<Json<VerifiedSignature>, Problem> {
    Ok(Json(
        signatures::verify_signature(&body.0, &connections, &sealing_keys).await?,
    ))
}
