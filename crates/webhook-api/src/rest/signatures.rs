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

/// Checks the signature of a request that a receiver got.
///
/// Give headers and body as they arrived. The response tells whether the signature holds, and if not,
/// the reason, as far as the reason can be told.
#[utoipa::path(
    post, path = "/api/v1/signatures/verify", tag = "Signatures", request_body = VerifySignature,
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
