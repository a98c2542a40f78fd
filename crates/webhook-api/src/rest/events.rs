//! `/api/v1/events`: events are published, listed, read and explained.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::events::{
    self, AcceptedEvent, BatchResults, EventBody, EventWithBody, ExplainEvent, ExplanationBody,
    ListEvents, MAX_BATCH_BYTES, PublishEvent, PublishEvents,
};
use webhook_admin::lists::Page;
use webhook_broker::Publisher;
use webhook_domain::{EventId, MAX_EVENT_BYTES};
use webhook_web::body::Body;
use webhook_web::{PathId, Problem};

use crate::refusals::Refusals;

/// Publishes an event. After 202 the event will not be lost.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "events", request_body = PublishEvent,
    responses((status = 202, body = AcceptedEvent), Refusals)
)]
pub(crate) async fn publish_event(
    body: Body<MAX_EVENT_BYTES>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let accepted = events::publish_event(body.0, &publisher).await?;
    Ok(HttpResponse::Accepted().json(accepted))
}

/// Publishes up to 1,000 events. A wrong event does not hold up the others.
#[utoipa::path(
    post, path = "/api/v1/events/batch", tag = "events", request_body = PublishEvents,
    responses((status = 200, body = BatchResults), Refusals)
)]
pub(crate) async fn publish_events(
    body: Body<MAX_BATCH_BYTES>,
    publisher: Data<Publisher>,
) -> Result<Json<BatchResults>, Problem> {
    Ok(Json(events::publish_events(&body.0, &publisher).await?))
}

/// Lists received events, newest first.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", params(ListEvents),
    responses((status = 200, body = Page<EventBody>), Refusals)
)]
pub(crate) async fn list_events(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<EventBody>>, Problem> {
    let list = ListEvents::parse(request.query_string())?;
    Ok(Json(events::list_events(&list, &connections).await?))
}

/// Reads an event with the published body, and counts the deliveries.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", tag = "events", params(("id" = Uuid, Path)),
    responses((status = 200, body = EventWithBody), Refusals)
)]
pub(crate) async fn find_event(
    PathId(id): PathId<EventId>,
    connections: Data<Connections>,
) -> Result<Json<EventWithBody>, Problem> {
    Ok(Json(events::find_event(id, &connections).await?))
}

/// Explains why each webhook got an event or not, by the webhook's settings at the time of receipt. Later
/// changes and deletions make no difference.
#[utoipa::path(
    get, path = "/api/v1/events/{id}/explanation", tag = "events",
    params(("id" = Uuid, Path), ExplainEvent),
    responses((status = 200, body = ExplanationBody), Refusals)
)]
pub(crate) async fn explain_event(
    PathId(id): PathId<EventId>,
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<ExplanationBody>, Problem> {
    let explain = ExplainEvent::parse(request.query_string())?;
    Ok(Json(
        events::explain_event(id, &explain, &connections).await?,
    ))
}
