//! `/api/v1/overview`: all webhooks of an environment at once.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::overview::{self, OldestDueCache, Overview, ReadOverview};
use webhook_web::Problem;

use crate::refusals::Refusals;

/// Reads the overview of an environment.
///
/// Deliveries by outcome and by event type, the failing and the slowest webhooks, and the deliveries that wait.
/// The cost does not grow with the number of deliveries.
#[utoipa::path(
    get, path = "/api/v1/overview", tag = "Statistics", params(ReadOverview),
    responses((status = 200, body = Overview), Refusals)
)]
pub(crate) async fn read_overview(
    request: HttpRequest,
    connections: Data<Connections>,
    oldest_due: Data<OldestDueCache>,
) -> Result<Json<Overview>, Problem> {
    let request = ReadOverview::parse(request.query_string())?;
    let overview = overview::read_overview(&request, &connections, &oldest_due).await?;
    Ok(Json(overview))
}
