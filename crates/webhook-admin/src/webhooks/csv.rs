//! Writes a list of webhooks as CSV.

use webhook_store::SealingKeys;

use super::body::{LastDeliveryBody, WebhookBody};
use super::list::{ListWebhooks, list_webhooks};
use crate::connections::Connections;
use crate::csv::{Csv, MAX_CSV_ROWS, cell};
use crate::lists::{PageLimit, read_place};
use crate::refusal::Refusal;

/// The columns of the file.
const COLUMNS: [&str; 15] = [
    "id",
    "name",
    "url",
    "environment",
    "status",
    "health",
    "event_types",
    "attempts_24h",
    "failed_attempts_24h",
    "success_rate_24h",
    "p95_ms_24h",
    "last_delivery_at",
    "last_delivery_status",
    "created_at",
    "updated_at",
];

/// Writes the webhooks of all pages from the list's place on, in the order of the list, up to
/// [`MAX_CSV_ROWS`].
pub async fn write_webhooks_csv(
    mut list: ListWebhooks,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<String, Refusal> {
    let (mut csv, mut rows_left) = (Csv::new(&COLUMNS), MAX_CSV_ROWS);
    list.limit = PageLimit::MAX;
    (list.total, list.health_counts) = (false, false);
    loop {
        let page = list_webhooks(list.clone(), connections, sealing_keys)
            .await?
            .page;
        for webhook in page.data.iter().take(rows_left) {
            csv.push(&record(webhook));
        }
        rows_left = rows_left.saturating_sub(page.data.len());
        match page.next_cursor {
            Some(cursor) if rows_left > 0 => list.cursor = read_place(&cursor).ok(),
            Some(_) | None => return Ok(csv.into_text()),
        }
    }
}

fn record(webhook: &WebhookBody) -> [String; COLUMNS.len()] {
    let (settings, counts) = (&webhook.settings, &webhook.last_24h);
    let last = webhook.last_delivery.as_ref();
    let patterns = settings.event_types.iter().map(ToString::to_string);
    [
        webhook.id.to_string(),
        settings.name.clone(),
        settings.url.clone(),
        settings.environment.to_string(),
        settings.status.to_string(),
        webhook.health.to_string(),
        Vec::from_iter(patterns).join(" "),
        counts.attempts.to_string(),
        counts.failed_attempts.to_string(),
        cell(counts.success_rate.as_ref()),
        cell(counts.p95_ms.as_ref()),
        cell(last.map(|last| last.attempted_at.to_rfc3339()).as_ref()),
        cell(last.map(LastDeliveryBody::detailed_status).as_ref()),
        webhook.created_at.to_rfc3339(),
        webhook.updated_at.to_rfc3339(),
    ]
}
