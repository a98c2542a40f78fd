//! `/api/v1/webhooks/preview`: the body of an event in a format.

use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, MAX_WEBHOOK_BYTES, Preview, PreviewRequest};
use webhook_web::Problem;
use webhook_web::body::Body;

use crate::refusals::Refusals;

/// Previews a request in a format.
///
/// The body that a webhook with the format would get for the example of an event type, or for an event of the log.
/// Nothing is sent and nothing is stored.
#[utoipa::path(
    post, path = "/api/v1/webhooks/preview", tag = "Webhooks", request_body = PreviewRequest,
    responses((status = 200, body = Preview), Refusals)
)]
pub(crate) async fn preview_webhook(
    body: Body<MAX_WEBHOOK_BYTES>,
    connections: Data<Connections>,
) -> Result<Json<Preview>, Problem> {
    let request = PreviewRequest::parse(&body.0)?;
    Ok(Json(
        webhooks::preview_webhook(&request, &connections).await?,
    ))
}
