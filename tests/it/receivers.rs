//! Receivers with the faults of real receivers, through the real programs: a faulty receiver harms no
//! other receiver, and an accepted event is sent once. The letter and number in front of a test (B3)
//! name the kind of misbehaviour.

// Connections of a receiver.
mod connections;
mod http2;
mod origins;

// Responses of a receiver.
mod bodies;
mod heads;

// Names and certificates of a receiver.
mod names;
mod tls;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use webhook_tests::{NameServer, Platform, events};

/// A retry policy with pauses of 100 ms between attempts.
fn policy(max_attempts: u64, timeout_ms: u64) -> Value {
    json!({"retry_policy": {"max_attempts": max_attempts, "initial_interval_ms": 100,
        "multiplier": 1, "max_interval_ms": 86_400_000, "jitter": 0, "timeout_ms": timeout_ms}})
}

/// A retry policy of a single attempt with a timeout of 2 s.
fn once() -> Value {
    policy(1, 2_000)
}

/// A platform whose dispatcher asks a name server of the test; with the name server.
async fn platform_with_names() -> (Platform, NameServer) {
    let names = NameServer::start().await;
    let address = names.address.to_string();
    let platform = Platform::with_dispatcher(&[("DNS_SERVERS", &address)]).await;
    (platform, names)
}

/// Creates a webhook with `settings`, without settings an Active webhook of production for every event.
/// Returns the id.
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

/// Publishes a fresh event of production over HTTP.
async fn publish(platform: &Platform) {
    platform.publish_fresh().await;
}

/// Waits until a webhook's newest delivery has ended, and returns the delivery.
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

/// Waits until a webhook's newest delivery has ended, and returns the only attempt.
async fn only_attempt(platform: &Platform, webhook: &str) -> Value {
    let delivery = ended(platform, webhook).await;
    let attempts = delivery["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 1, "{delivery}");
    attempts[0].clone()
}

/// Creates a webhook at each URL, all with the same `settings`, and returns the ids.
async fn create_each(platform: &Platform, urls: &[String], settings: &Value) -> Vec<String> {
    let mut webhooks = Vec::new();
    for url in urls {
        webhooks.push(create(platform, url, settings).await);
    }
    webhooks
}

/// Publishes an event and returns the only attempt at each webhook.
async fn attempt_each(platform: &Platform, webhooks: &[String]) -> Vec<Value> {
    publish(platform).await;
    let mut attempts = Vec::new();
    for webhook in webhooks {
        attempts.push(only_attempt(platform, webhook).await);
    }
    attempts
}

/// The failed attempts of each webhook.
async fn failed_attempts_of_each(platform: &Platform, webhooks: &[String]) -> Vec<i64> {
    let mut failed = Vec::new();
    for webhook in webhooks {
        failed.push(failed_attempts(platform, webhook).await);
    }
    failed
}

/// Publishes `count` events of production over AMQP as fast as the broker confirms.
async fn publish_at_once(platform: &Platform, count: usize) {
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let confirmed = publisher.publish_all(&events(count)).await;
    assert!(confirmed.iter().all(Result::is_ok), "the broker confirms");
    cancel.cancel();
}

/// The failed attempts of a webhook.
async fn failed_attempts(platform: &Platform, webhook: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM attempts JOIN deliveries ON deliveries.id = delivery_id
         WHERE webhook_id = '{webhook}' AND failure_class IS NOT NULL"
    );
    platform.world.database.ask(&sql).await
}

/// Waits until `deliveries` of all webhooks have succeeded. Panics at the first failed attempt.
async fn all_succeed_at_once(platform: &Platform, deliveries: i64) {
    const FIRST_FAILURE: &str = "SELECT concat(min(failure_class), ': ', min(failure_detail), ', ',
            count(*)) FROM attempts WHERE failure_class IS NOT NULL HAVING count(*) > 0";
    let world = &platform.world;
    let settled = async || {
        let failed: i64 = world.database.failed_attempts().await;
        if failed > 0 {
            return Some(Err(world.database.ask::<String>(FIRST_FAILURE).await));
        }
        (world.database.delivered().await == deliveries).then_some(Ok(()))
    };
    let settled = world.patiently("all deliveries succeed", settled).await;
    assert_eq!(settled, Ok(()), "an attempt failed");
}
