//! `/api/v1/event-types`: the catalogue of event types.

use actix_web::web::Json;
use webhook_admin::event_types::{self, EventTypes};

use crate::refusals::Refusals;

/// Lists the event types, each with an example.
#[utoipa::path(
    get, path = "/api/v1/event-types", tag = "Event types",
    responses((status = 200, body = EventTypes), Refusals)
)]
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn list_event_types() -> Json<EventTypes> {
    Json(event_types::list_event_types())
}
