//! Reading, retrying and replaying deliveries, through the real programs.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, Event, EventId, EventType};
use webhook_tests::{Platform, each};

mod again;
mod detail;
mod diagnosis;
mod jobs;
mod lists;
mod replay;
mod statistics;

/// A URL on which no server listens.
const NOBODY: &str = "http://127.0.0.1:9/";

/// An id that no delivery, webhook or job has.
const UNKNOWN: &str = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e";

/// A retry policy with equal pauses between attempts, without jitter.
fn every(millis: u64, max_attempts: u64) -> Value {
    json!({"retry_policy": {"max_attempts": max_attempts, "initial_interval_ms": millis,
        "multiplier": 1, "max_interval_ms": 86_400_000, "jitter": 0, "timeout_ms": 2_000}})
}

/// A retry policy of one attempt.
fn once() -> Value {
    every(1_000, 1)
}

/// A retry policy whose first retry comes after an hour, when every test has ended.
fn patient() -> Value {
    every(3_600_000, 12)
}

/// Creates a webhook with `settings`, without settings an Active one of production that wants every
/// event. Returns the id.
async fn create(platform: &Platform, name: &str, url: &str, settings: &Value) -> String {
    let mut webhook =
        json!({"name": name, "url": url, "environment": "production", "event_types": ["*"]});
    for (field, value) in settings.as_object().into_iter().flatten() {
        webhook[field] = value.clone();
    }
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

/// Opens a webhook's circuit, so that its deliveries wait.
async fn pause(platform: &Platform, id: &str) {
    platform.world.database.open_circuit(id).await;
}

/// Publishes an event of production and waits until a dispatcher has taken the event in.
async fn publish(platform: &Platform, event_type: EventType) -> EventId {
    let event = platform.publish(Environment::Production, event_type).await;
    platform.taken_in(event).await;
    event
}

/// Publishes `event` and waits until a dispatcher has taken the event in.
async fn send(platform: &Platform, event: &Event) {
    let body = String::from_utf8(event.body.to_vec()).expect("text");
    let (status, answer) = platform
        .ask(Method::POST, "/api/v1/events", Some(body))
        .await;
    assert_eq!(status, 202, "{answer}");
    platform.taken_in(event.id).await;
}

/// Waits until a webhook has a delivery in `status`, and reads the newest such delivery.
async fn comes_to(platform: &Platform, webhook: &str, status: &str) -> Value {
    let path = format!("/api/v1/deliveries?webhook_id={webhook}&status={status}&limit=1");
    let came = async || {
        let page = platform.get(&path).await;
        page["data"][0]["id"].as_str().map(str::to_owned)
    };
    let id = platform.world.eventually(status, came).await;
    read(platform, &id).await
}

/// Reads a delivery with its attempts.
async fn read(platform: &Platform, id: &str) -> Value {
    platform.get(&format!("/api/v1/deliveries/{id}")).await
}

/// The number of deliveries that a filter finds.
async fn total(platform: &Platform, query: &str) -> i64 {
    let path = format!("/api/v1/deliveries?limit=1&total=true&{query}");
    platform.get(&path).await["total"]
        .as_i64()
        .expect("a number")
}

/// Waits until a filter finds `count` deliveries.
async fn count_comes_to(platform: &Platform, query: &str, count: i64) {
    let came = async || (total(platform, query).await == count).then_some(());
    platform.world.eventually(query, came).await;
}

/// Starts a job and returns its id.
async fn start(platform: &Platform, path: &str, selection: &Value) -> String {
    let (status, job) = platform.post(path, selection).await;
    assert_eq!(status, 201, "{job}");
    job["id"].as_str().expect("an id").to_owned()
}

/// Waits until a job is finished.
async fn finishes(platform: &Platform, id: &str) -> Value {
    let path = format!("/api/v1/jobs/{id}");
    let finished = async || {
        let job = platform.get(&path).await;
        (job["status"] == "finished").then_some(job)
    };
    platform
        .world
        .eventually("the job is finished", finished)
        .await
}

/// The actions in the audit log about a webhook's deliveries and jobs, oldest first.
async fn audited(platform: &Platform, webhook: &str) -> Vec<String> {
    let log = platform
        .get(&format!("/api/v1/audit?webhook_id={webhook}"))
        .await;
    let actions = each(&log["data"], "action").into_iter().rev();
    let ours = actions.filter(|action| !action.starts_with("webhook."));
    ours.map(str::to_owned).collect()
}
