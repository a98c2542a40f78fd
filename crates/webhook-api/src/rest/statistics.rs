//! `/api/v1/statistics`: deliveries and attempts, counted per hour or day.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::statistics::{self, ReadStatistics, Statistics};
use webhook_web::Problem;

use crate::refusals::Refusals;

/// Counts deliveries and attempts per hour or day.
///
/// The cost grows with the number of hours, not with the number of deliveries.
#[utoipa::path(
    get, path = "/api/v1/statistics", tag = "Statistics", params(ReadStatistics),
    responses((status = 200, body = Statistics), Refusals)
)]
pub(crate) async fn read_statistics(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Statistics>, Problem> {
    let request = ReadStatistics::parse(request.query_string())?;
    Ok(Json(
        statistics::read_statistics(&request, &connections).await?,
    ))
}
