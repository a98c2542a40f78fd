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
use webhook_web::trace_parent::TraceParent;
use webhook_web::{PathId, Problem};

use crate::refusals::Refusals;

/// Publishes an event.
///
/// After a 202 the event is stored by the broker and will not be lost. Send the same `id` again to
/// repeat a request safely. A `traceparent` (W3C Trace Context) is passed on to the receivers.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "Events", request_body = PublishEvent,
    responses((status = 202, body = AcceptedEvent), Refusals)
)]
pub(crate) async fn publish_event(
    body: Body<MAX_EVENT_BYTES>,
    TraceParent(trace): TraceParent,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let accepted = events::publish_event(body.0, trace, &publisher).await?;
    Ok(HttpResponse::Accepted().json(accepted))
}

/// Publishes up to 1,000 events.
///
/// A wrong event does not hold up the others: the response has a result for each event.
#[utoipa::path(
    post, path = "/api/v1/events/batch", tag = "Events", request_body = PublishEvents,
    responses((status = 200, body = BatchResults), Refusals)
)]
pub(crate) async fn publish_events(
    body: Body<MAX_BATCH_BYTES>,
    TraceParent(trace): TraceParent,
    publisher: Data<Publisher>,
) -> Result<Json<BatchResults>, Problem> {
    Ok(Json(
        events::publish_events(&body.0, trace, &publisher).await?,
    ))
}

/// Lists received events, newest first.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "Events", params(ListEvents),
    responses((status = 200, body = Page<EventBody>), Refusals)
)]
pub(crate) async fn list_events(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<EventBody>>, Problem> {
    let list = ListEvents::parse(request.query_string())?;
    Ok(Json(events::list_events(&list, &connections).await?))
}

/// Reads an event with its published body.
///
/// The response counts the event's deliveries by status.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", tag = "Events", params(("id" = Uuid, Path)),
    responses((status = 200, body = EventWithBody), Refusals)
)]
pub(crate) async fn find_event(
    PathId(id): PathId<EventId>,
    connections: Data<Connections>,
) -> Result<Json<EventWithBody>, Problem> {
    Ok(Json(events::find_event(id, &connections).await?))
}

/// Explains why each webhook received an event, or why not.
///
/// The explanation follows each webhook's settings at the time of receipt. Later changes and deletions
/// make no difference.
#[utoipa::path(
    get, path = "/api/v1/events/{id}/explanation", tag = "Events",
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
