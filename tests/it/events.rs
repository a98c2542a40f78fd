//! Reading and explaining events, through the real programs.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::EventId;
use webhook_tests::{Platform, each};

mod explanation;
mod history;
mod lists;
mod race;

/// Creates an Active webhook and returns its id.
async fn create(
    platform: &Platform,
    name: &str,
    environment: &str,
    types: &[&str],
    url: &str,
) -> String {
    let webhook =
        json!({"name": name, "url": url, "environment": environment, "event_types": types});
    let (status, created) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(status, 201, "{created}");
    created["id"].as_str().expect("an id").to_owned()
}

/// Changes a webhook.
async fn patch(platform: &Platform, id: &str, change: &Value) {
    let path = format!("/api/v1/webhooks/{id}");
    let (status, answer) = platform.patch(&path, change).await;
    assert_eq!(status, 200, "{answer}");
}

/// Deletes a webhook.
async fn delete(platform: &Platform, id: &str) {
    let path = format!("/api/v1/webhooks/{id}");
    let (status, _) = platform.ask(Method::DELETE, &path, None).await;
    assert_eq!(status, 204);
}

/// The explanation of an event for up to 200 webhooks.
async fn explain(platform: &Platform, event: EventId, query: &str) -> Value {
    let path = format!("/api/v1/events/{event}/explanation?limit=200&{query}");
    platform.get(&path).await
}

/// The outcome in the explanation of an event for one webhook.
async fn outcome(platform: &Platform, event: EventId, webhook: &str) -> String {
    let explained = explain(platform, event, &format!("webhook_id={webhook}")).await;
    let outcomes = each(&explained["data"], "outcome");
    assert_eq!(outcomes.len(), 1, "{explained}");
    outcomes[0].to_owned()
}
