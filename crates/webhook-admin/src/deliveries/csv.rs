//! Writes a list of deliveries as CSV.

use super::body::DeliveryBody;
use super::list::{ListDeliveries, list_deliveries};
use crate::connections::Connections;
use crate::csv::{Csv, MAX_CSV_ROWS, cell};
use crate::lists::{PageLimit, parse_cursor};
use crate::refusal::Refusal;

/// The columns of the file.
const COLUMNS: [&str; 14] = [
    "id",
    "created_at",
    "ended_at",
    "status",
    "webhook_id",
    "webhook_name",
    "environment",
    "event_id",
    "event_type",
    "test",
    "attempts",
    "response_status",
    "failure_class",
    "next_attempt_at",
];

/// Writes the deliveries of all pages from the list's place on, newest first, up to [`MAX_CSV_ROWS`].
pub async fn write_deliveries_csv(
    mut list: ListDeliveries,
    connections: &Connections,
) -> Result<String, Refusal> {
    let (mut csv, mut rows_left) = (Csv::new(&COLUMNS), MAX_CSV_ROWS);
    (list.limit, list.total) = (PageLimit::MAX, false);
    loop {
        // Page by page: a page costs the same for any number of deliveries, one long page would not.
        let page = list_deliveries(&list, connections).await?.page;
        for delivery in page.data.iter().take(rows_left) {
            csv.push(&record(delivery));
        }
        rows_left = rows_left.saturating_sub(page.data.len());
        match page.next_cursor {
            Some(cursor) if rows_left > 0 => list.cursor = parse_cursor(&cursor).ok(),
            Some(_) | None => return Ok(csv.into_text()),
        }
    }
}

fn record(delivery: &DeliveryBody) -> [String; COLUMNS.len()] {
    [
        delivery.id.to_string(),
        delivery.created_at.to_rfc3339(),
        cell(delivery.ended_at.map(|at| at.to_rfc3339()).as_ref()),
        delivery.detailed_status().to_string(),
        delivery.webhook_id.to_string(),
        delivery.webhook_name.clone(),
        delivery.environment.to_string(),
        delivery.event_id.to_string(),
        delivery.event_type.to_string(),
        delivery.test.to_string(),
        delivery.attempt_count.to_string(),
        cell(delivery.response_status.as_ref()),
        cell(delivery.failure_class.as_ref()),
        cell(delivery.next_attempt_at.map(|at| at.to_rfc3339()).as_ref()),
    ]
}
