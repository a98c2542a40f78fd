//! Reading and explaining events, through the real programs.

use serde_json::Value;
use webhook_domain::EventId;
use webhook_tests::{CreatedWebhook, Platform, each};

mod explanation;
mod history;
mod lists;
mod race;
mod reasons;

/// The explanation of an event for up to 200 webhooks.
async fn explain(platform: &Platform, event: EventId, query: &str) -> Value {
    let path = format!("/api/v1/events/{event}/explanation?limit=200&{query}");
    platform.get(&path).await
}

/// The explanation of an event for a single webhook.
async fn explain_to(platform: &Platform, event: EventId, webhook: &CreatedWebhook) -> Value {
    explain(platform, event, &format!("webhook_id={}", webhook.id)).await
}

/// The outcome in the explanation of an event for a single webhook.
async fn outcome(platform: &Platform, event: EventId, webhook: &CreatedWebhook) -> String {
    let explained = explain_to(platform, event, webhook).await;
    let outcomes = each(&explained["data"], "outcome");
    assert_eq!(outcomes.len(), 1, "{explained}");
    outcomes[0].to_owned()
}

/// Waits until the outcome for a webhook is `expected`.
async fn comes_to(platform: &Platform, event: EventId, webhook: &CreatedWebhook, expected: &str) {
    let came = async || (outcome(platform, event, webhook).await == expected).then_some(());
    platform.world.eventually(expected, came).await;
}
