//! `/api/v1/webhooks/{id}/test`: a test event is sent.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::schema;
use webhook_admin::webhooks::{self, SendTestEvent, TestEventSent};
use webhook_broker::Publisher;
use webhook_domain::WebhookId;
use webhook_web::body::Body;
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

/// The most bytes of a test in JSON.
const MAX_BYTES: usize = 1_024;

/// Sends a test event to a webhook.
///
/// The event goes through the queue and a dispatcher like every event; its body has the field `test`.
/// There is one attempt, which does not wait for an open circuit, for a rate limit, or for the time
/// that the receiver asked for with `Retry-After`; a response that accepts the event ends that time.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/test", tag = "Webhooks", request_body = SendTestEvent,
    params(
        ("id" = Uuid, Path),
        ("wait" = inline(Option<schema::WaitText>), Query, description = "How long to wait for the result, up to 30s")
    ),
    responses((status = 202, body = TestEventSent), Refusals)
)]
pub(crate) async fn send_test_event(
    PathId(id): PathId<WebhookId>,
    request: HttpRequest,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let (test, wait) = SendTestEvent::parse(&body.0, request.query_string())?;
    let test = (test.event_type, wait);
    let sent = webhooks::send_test_event(id, test, &caller, &connections, &publisher).await?;
    Ok(HttpResponse::Accepted().json(sent))
}
