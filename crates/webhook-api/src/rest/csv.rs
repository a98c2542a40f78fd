//! `/api/v1/webhooks.csv` and `/api/v1/deliveries.csv`: lists as files for spreadsheets.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::deliveries::{self, ListDeliveries};
use webhook_admin::webhooks::{self, ListWebhooks};
use webhook_store::SealingKeys;
use webhook_web::Problem;

use crate::refusals::Refusals;

/// The type of the files (RFC 7111).
const CSV: &str = "text/csv; charset=utf-8";

/// Writes the webhooks of a list as CSV.
///
/// RFC 4180, up to 10,000 rows from the `cursor` on. A cell that a spreadsheet would take for a formula begins
/// with an apostrophe.
#[utoipa::path(
    get, path = "/api/v1/webhooks.csv", tag = "Webhooks", params(ListWebhooks),
    responses((status = 200, body = String, content_type = "text/csv", description = "A line of column names, and a line for each row"), Refusals)
)]
pub(crate) async fn write_webhooks_csv(
    request: HttpRequest,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let list = ListWebhooks::parse(request.query_string())?;
    let text = webhooks::write_webhooks_csv(list, &connections, &sealing_keys).await?;
    Ok(HttpResponse::Ok().content_type(CSV).body(text))
}

/// Writes the deliveries of a list as CSV.
///
/// RFC 4180, newest first, up to 10,000 rows from the `cursor` on. A cell that a spreadsheet would take for a
/// formula begins with an apostrophe.
#[utoipa::path(
    get, path = "/api/v1/deliveries.csv", tag = "Deliveries", params(ListDeliveries),
    responses((status = 200, body = String, content_type = "text/csv", description = "A line of column names, and a line for each row"), Refusals)
)]
pub(crate) async fn write_deliveries_csv(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = ListDeliveries::parse(request.query_string())?;
    let text = deliveries::write_deliveries_csv(list, &connections).await?;
    Ok(HttpResponse::Ok().content_type(CSV).body(text))
}
