//! Finding what fails: health, the overview, alarms, lists as files; through the real programs.

use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::Platform;

mod alarm;
mod csv;
mod days;
mod figures;
mod health;
mod pages;
mod test_events;

/// Creates an Active webhook of production whose deliveries fail after one attempt, and returns its id.
async fn create(platform: &Platform, name: &str, url: &str) -> String {
    let once = json!({"max_attempts": 1, "initial_interval_ms": 1_000, "multiplier": 1,
        "max_interval_ms": 3_600_000, "jitter": 0, "timeout_ms": 2_000});
    create_with(platform, name, url, &once).await
}

/// Creates a webhook whose first retry comes after an hour, and returns its id.
async fn create_patient(platform: &Platform, name: &str, url: &str) -> String {
    let patient = json!({"max_attempts": 5, "initial_interval_ms": 3_600_000, "multiplier": 1,
        "max_interval_ms": 3_600_000, "jitter": 0, "timeout_ms": 2_000});
    create_with(platform, name, url, &patient).await
}

async fn create_with(platform: &Platform, name: &str, url: &str, policy: &Value) -> String {
    let webhook = json!({"name": name, "url": url, "environment": "production",
        "event_types": ["*"], "retry_policy": policy});
    let (status, created) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(status, 201, "{created}");
    created["id"].as_str().expect("an id").to_owned()
}

/// Publishes an event of production and waits until `count` deliveries are in `status`.
async fn publish(platform: &Platform, status: &str, count: usize) {
    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    let there = async || (platform.count(status).await == count).then_some(());
    platform.world.eventually(status, there).await;
}

/// Sends a test event, waits for its result, and returns the delivery.
async fn send_test(platform: &Platform, id: &str) -> Value {
    let path = format!("/api/v1/webhooks/{id}/test?wait=10s");
    let test = json!({"event_type": "license.created"});
    let (status, sent) = platform.post(&path, &test).await;
    assert_eq!(status, 202, "{sent}");
    sent["delivery"].clone()
}

/// Reads a webhook.
async fn read(platform: &Platform, id: &str) -> Value {
    platform.get(&format!("/api/v1/webhooks/{id}")).await
}

/// Waits until a webhook has this health.
async fn becomes(platform: &Platform, id: &str, health: &str) -> Value {
    let has = async || {
        let webhook = read(platform, id).await;
        (webhook["health"] == health).then_some(webhook)
    };
    platform.world.eventually(health, has).await
}

/// Activates or deactivates a webhook.
async fn switch(platform: &Platform, id: &str, verb: &str) {
    let path = format!("/api/v1/webhooks/{id}/{verb}");
    let (status, answer) = platform.ask(reqwest::Method::POST, &path, None).await;
    assert!(status.is_success(), "{answer}");
}
