//! Events looked at and explained, through the real programs.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::EventId;
use webhook_tests::Platform;

mod explanation;
mod history;
mod lists;
mod race;

/// One field of each item of a list.
fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list").iter();
    items.filter_map(|item| item[field].as_str()).collect()
}

/// Makes an Active webhook and tells its id.
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

/// What became of an event, with up to 200 webhooks.
async fn explain(platform: &Platform, event: EventId, query: &str) -> Value {
    let path = format!("/api/v1/events/{event}/explanation?limit=200&{query}");
    platform.get(&path).await
}

/// What became of an event for one webhook.
async fn outcome(platform: &Platform, event: EventId, webhook: &str) -> String {
    let explained = explain(platform, event, &format!("webhook_id={webhook}")).await;
    let outcomes = each(&explained["data"], "outcome");
    assert_eq!(outcomes.len(), 1, "{explained}");
    outcomes[0].to_owned()
}
