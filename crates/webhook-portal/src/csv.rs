//! Lists as files for spreadsheets, with the filters of the pages.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::Data;
use webhook_admin::Connections;
use webhook_admin::deliveries::{ListDeliveries, write_deliveries_csv};
use webhook_admin::webhooks::{ListWebhooks, write_webhooks_csv};
use webhook_store::SealingKeys;
use webhook_web::Problem;

use crate::query::Query;

/// Downloads the list of webhooks.
pub(crate) async fn download_webhooks(
    query: Query,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let list = ListWebhooks::parse(&query.as_api())?;
    let text = write_webhooks_csv(list, &connections, &keys).await?;
    Ok(file("webhooks.csv", text))
}

/// Downloads the list of deliveries.
pub(crate) async fn download_deliveries(
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = ListDeliveries::parse(&query.as_api())?;
    let text = write_deliveries_csv(list, &connections).await?;
    Ok(file("webhook-deliveries.csv", text))
}

fn file(name: &str, text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text)
}
