//! Receivers that misbehave as receivers do, through the real programs: each costs only itself, and
//! an event that a receiver took is sent to it once. Each test is a row of the cases of part 2, whose
//! number stands beside its name.

// How a receiver treats its connections.
mod connections;
mod http2;
mod origins;

// What a receiver answers.
mod bodies;
mod heads;

// How a receiver is found and trusted.
mod names;
mod tls;

use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{NameServer, Platform};

/// A retry policy of so many attempts with this timeout. The pause between attempts is short.
fn policy(max_attempts: u64, timeout_ms: u64) -> Value {
    json!({"retry_policy": {"max_attempts": max_attempts, "initial_interval_ms": 100,
        "multiplier": 1, "max_interval_ms": 86_400_000, "jitter": 0, "timeout_ms": timeout_ms}})
}

/// A retry policy of one attempt, which ends within 2 s.
fn once() -> Value {
    policy(1, 2_000)
}

/// A platform whose dispatcher asks a name server of the test, and that name server.
async fn platform_with_names() -> (Platform, NameServer) {
    let names = NameServer::start().await;
    let address = names.address.to_string();
    let platform = Platform::with_dispatcher(&[("DNS_SERVERS", &address)]).await;
    (platform, names)
}

/// Makes an Active webhook of production that wants everything unless `settings` say so, and tells
/// its id.
async fn create(platform: &Platform, url: &str, settings: &Value) -> String {
    let mut webhook =
        json!({"name": url, "url": url, "environment": "production", "event_types": ["*"]});
    for (field, value) in settings.as_object().into_iter().flatten() {
        webhook[field] = value.clone();
    }
    let (status, created) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(status, 201, "{created}");
    created["id"].as_str().expect("an id").to_owned()
}

/// Publishes a fresh event of production.
async fn publish(platform: &Platform) {
    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
}

/// Waits until a webhook's newest delivery has ended, and reads it.
async fn ended(platform: &Platform, webhook: &str) -> Value {
    let path = format!("/api/v1/deliveries?webhook_id={webhook}&limit=1");
    let found = async || {
        let page = platform.get(&path).await;
        let delivery = &page["data"][0];
        let ended = delivery["status"] == "succeeded" || delivery["status"] == "failed";
        ended.then(|| delivery["id"].as_str().expect("an id").to_owned())
    };
    let id = platform.world.eventually("the delivery ends", found).await;
    platform.get(&format!("/api/v1/deliveries/{id}")).await
}

/// Waits until a webhook's newest delivery has ended, and reads its only attempt.
async fn only_attempt(platform: &Platform, webhook: &str) -> Value {
    let delivery = ended(platform, webhook).await;
    let attempts = delivery["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 1, "{delivery}");
    attempts[0].clone()
}

/// How many attempts of a webhook failed.
async fn failed_attempts(platform: &Platform, webhook: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM attempts JOIN deliveries ON deliveries.id = delivery_id
         WHERE webhook_id = '{webhook}' AND failure_class IS NOT NULL"
    );
    platform.world.ask(&sql).await
}

/// Waits until so many deliveries of all webhooks succeeded; the first failed attempt fails the
/// test.
async fn all_succeed_at_once(platform: &Platform, deliveries: i64) {
    const FIRST_FAILURE: &str = "SELECT concat(min(failure_class), ': ', min(failure_detail), ', ',
            count(*)) FROM attempts WHERE failure_class IS NOT NULL HAVING count(*) > 0";
    let world = &platform.world;
    let settled = async || {
        let failed: i64 = world
            .ask("SELECT count(*) FROM attempts WHERE failure_class IS NOT NULL")
            .await;
        if failed > 0 {
            return Some(Err(world.ask::<String>(FIRST_FAILURE).await));
        }
        (world.delivered().await == deliveries).then_some(Ok(()))
    };
    let settled = world.patiently("all are delivered", settled).await;
    assert_eq!(settled, Ok(()), "an attempt failed");
}
