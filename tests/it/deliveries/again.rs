//! Single deliveries retried, sent again and cancelled.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webhook_domain::{Environment, Event, EventType};
use webhook_tests::{Answer, Platform, Receiver, Service, assert_fields, event_with};

use crate::deliveries::{audited, comes_to, each, read};

/// Retries or cancels a delivery.
async fn act(platform: &Platform, delivery: &Value, action: &str) -> (StatusCode, Value) {
    let path = format!("/api/v1/deliveries/{}/{action}", id_of(delivery));
    platform.ask(Method::POST, &path, None).await
}

fn id_of(delivery: &Value) -> &str {
    delivery["id"].as_str().expect("a delivery has an id")
}

/// The numbers of a delivery's attempts.
fn numbers(delivery: &Value) -> Vec<i64> {
    let attempts = delivery["attempts"].as_array().expect("attempts").iter();
    attempts.filter_map(|a| a["number"].as_i64()).collect()
}

/// The length of a delivery's schedule: how many attempts may still come.
fn attempts_left(delivery: &Value) -> usize {
    delivery["schedule"].as_array().map_or(0, Vec::len)
}

/// Waits until the delivery counts `count` attempts, and returns the delivery.
async fn attempted(platform: &Platform, delivery: &Value, count: usize) -> Value {
    let attempted = async || {
        let delivery = read(platform, id_of(delivery)).await;
        (delivery["attempt_count"] == count).then_some(delivery)
    };
    let what = format!("the delivery has {count} attempts");
    platform.world.eventually(&what, attempted).await
}

/// Waits until `count` attempts of the delivery are recorded, and returns the delivery. A cancelled delivery
/// counts no attempt that ends later.
async fn recorded(platform: &Platform, delivery: &Value, count: usize) -> Value {
    let recorded = async || {
        let delivery = read(platform, id_of(delivery)).await;
        (numbers(&delivery).len() == count).then_some(delivery)
    };
    let what = format!("{count} attempts are recorded");
    platform.world.eventually(&what, recorded).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_a_failed_delivery_has_all_attempts_of_its_policy_again() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500, 500, 500]).await;
    let webhook = platform.webhook_to(&receiver);
    let webhook = webhook.retrying_every(100, 2).create().await;
    platform.take_in(EventType::LicenseCreated).await;
    let failed = comes_to(&platform, &webhook, "failed").await;

    let (status, answer) = act(&platform, &failed, "retry").await;

    assert_eq!(status, 202, "{answer}");
    let delivery = comes_to(&platform, &webhook, "succeeded").await;
    assert_eq!(numbers(&delivery), [1, 2, 3, 4]);
    assert_fields(
        &delivery["resends"][0],
        &json!({"kind": "retry", "after_attempt": 2, "job_id": null}),
    );
    assert_eq!(audited(&platform, &webhook).await, ["delivery.retried"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_succeeded_is_sent_again_as_the_same_event() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    let event = platform.take_in(EventType::LicenseCreated).await;
    let first = comes_to(&platform, &webhook, "succeeded").await;

    let (status, _) = act(&platform, &first, "retry").await;
    let requests = receiver.arrived(2).await;

    assert_eq!(status, 202);
    let delivery = comes_to(&platform, &webhook, "succeeded").await;
    assert_eq!(numbers(&delivery), [1, 2]);
    assert_eq!(each(&delivery["resends"], "kind"), ["resend"]);
    for request in requests {
        assert_eq!(request.headers["webhook-id"], event.to_string());
    }
    assert_eq!(audited(&platform, &webhook).await, ["delivery.resent"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_a_waiting_delivery_is_attempted_at_once_and_keeps_the_schedule() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500, 500]).await;
    let webhook = platform.webhook_to(&receiver).patient().create().await;
    platform.take_in(EventType::LicenseCreated).await;
    let waiting = comes_to(&platform, &webhook, "retrying").await;

    act(&platform, &waiting, "retry").await;

    let again = attempted(&platform, &waiting, 2).await;
    assert_eq!(again["attempt_count"], 2);
    assert_eq!((attempts_left(&waiting), attempts_left(&again)), (11, 10));
    assert_eq!(each(&again["resends"], "kind"), ["retry"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_an_unattempted_delivery_changes_nothing() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    platform.open_circuit(&webhook).await;
    platform.take_in(EventType::LicenseCreated).await;
    let before = comes_to(&platform, &webhook, "pending").await;

    let (status, after) = act(&platform, &before, "retry").await;

    assert_eq!(status, 202, "{after}");
    let unchanged = json!({"status": "pending", "attempt_count": 0, "resends": []});
    assert_fields(&after, &unchanged);
    assert!(audited(&platform, &webhook).await.is_empty());
    platform.end().await;
}

/// Answers the first attempt of every delivery with 500 and every other attempt with 200.
async fn failing_at_first() -> Receiver {
    Receiver::deciding(|_, request| {
        let first = request.headers["x-webhook-attempt"] == "1";
        Answer::Status(if first { 500 } else { 200 })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_delivery_is_not_attempted_again() {
    let platform = Platform::new().await;
    let receiver = failing_at_first().await;
    let webhook = platform.webhook_to(&receiver);
    let webhook = webhook.retrying_every(1_000, 5).create().await;
    platform.take_in(EventType::LicenseCreated).await;
    let waiting = comes_to(&platform, &webhook, "retrying").await;

    let (status, cancelled) = act(&platform, &waiting, "cancel").await;
    // The first retry of the second delivery comes later than the retry of the cancelled delivery
    // would.
    platform.take_in(EventType::LicenseUpdated).await;
    comes_to(&platform, &webhook, "succeeded").await;

    assert_eq!(status, 200);
    let ended = json!({"status": "cancelled", "next_attempt_at": null});
    assert_fields(&cancelled, &ended);
    assert_eq!(receiver.count(), 3, "1 for the cancelled delivery, 2 after");
    assert_eq!(audited(&platform, &webhook).await, ["delivery.cancelled"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_delivery_is_attempted_again_when_an_admin_retries_it() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let webhook = platform.webhook_to(&receiver).patient().create().await;
    platform.take_in(EventType::LicenseCreated).await;
    let waiting = comes_to(&platform, &webhook, "retrying").await;
    act(&platform, &waiting, "cancel").await;

    let (status, _) = act(&platform, &waiting, "retry").await;

    assert_eq!(status, 202);
    receiver.arrived(2).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_runs_while_its_delivery_is_cancelled_changes_nothing() {
    let platform = Platform::new().await;
    let slow = Answer::After(Duration::from_millis(500));
    let receiver = Receiver::scripted(vec![slow]).await;
    let webhook = platform.webhook_to(&receiver).patient().create().await;
    platform.take_in(EventType::LicenseCreated).await;
    receiver.arrived(1).await;
    let running = comes_to(&platform, &webhook, "pending").await;

    let (status, _) = act(&platform, &running, "cancel").await;
    let after = recorded(&platform, &running, 1).await;

    assert_eq!(status, 200);
    assert_eq!(after["status"], "cancelled");
    assert_eq!(numbers(&after), [1]);
    assert_eq!(after["attempts"][0]["response_status"], 200);
    platform.end().await;
}

/// An event of the licence `lic_1`.
fn update_of_the_licence(number: usize) -> Event {
    let data = format!(r#"{{"license_id":"lic_1","number":{number}}}"#);
    event_with(Environment::Production, EventType::LicenseUpdated, &data)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_delivery_gives_the_turn_to_the_next_of_its_ordering_key() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let ordered = json!({"ordering": "by_key", "ordering_key": "license_id"});
    let webhook = platform.webhook_to(&receiver).patient();
    let webhook = webhook.with(&ordered).create().await;
    let (first, second) = (update_of_the_licence(1), update_of_the_licence(2));
    platform.take_in_event(&first).await;
    let blocking = comes_to(&platform, &webhook, "retrying").await;
    platform.take_in_event(&second).await;
    assert!(!receiver.has(&second.body), "the second event has no turn");

    act(&platform, &blocking, "cancel").await;

    let next = comes_to(&platform, &webhook, "succeeded").await;
    assert_eq!(next["event_id"], second.id.to_string());
    assert_eq!(receiver.count(), 2);
    platform.end().await;
}

/// A platform with a failed delivery, and the delivery.
async fn with_failed_delivery() -> (Platform, Value) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let webhook = platform.webhook_to(&receiver).once().create().await;
    platform.take_in(EventType::LicenseCreated).await;
    let failed = comes_to(&platform, &webhook, "failed").await;
    (platform, failed)
}

/// Asserts the refusal of an action, with 409 and `reason`, and an unchanged delivery.
async fn assert_refused(platform: &Platform, delivery: &Value, action: &str, reason: &str) {
    let (status, problem) = act(platform, delivery, action).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(problem["detail"], reason);
    let after = read(platform, id_of(delivery)).await;
    assert_fields(&after, &json!({"status": "failed", "resends": []}));
}

/// The API path of the webhook of a delivery.
fn webhook_of(delivery: &Value) -> String {
    let id = delivery["webhook_id"].as_str().expect("a webhook's id");
    format!("/api/v1/webhooks/{id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_for_an_inactive_webhook_is_refused() {
    let (platform, failed) = with_failed_delivery().await;
    let inactive = json!({"status": "inactive"});
    platform.patch(&webhook_of(&failed), &inactive).await;

    let reason = "the webhook is Inactive; activate the webhook first";
    assert_refused(&platform, &failed, "retry", reason).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_for_a_deleted_webhook_is_refused() {
    let (platform, failed) = with_failed_delivery().await;
    let webhook = webhook_of(&failed);
    platform.ask(Method::DELETE, &webhook, None).await;

    let reason = "the webhook was deleted";
    assert_refused(&platform, &failed, "retry", reason).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_an_event_past_its_retention_is_refused() {
    let (platform, failed) = with_failed_delivery().await;
    platform.world.database.execute("DELETE FROM events").await;

    let reason = "the event is no longer stored";
    assert_refused(&platform, &failed, "retry", reason).await;
    let after = read(&platform, id_of(&failed)).await;
    assert_eq!(after["request_body"], json!(null));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_ended_cannot_be_cancelled() {
    let (platform, failed) = with_failed_delivery().await;

    let reason = "only a pending delivery can be cancelled";
    assert_refused(&platform, &failed, "cancel", reason).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_deliveries_and_sends_none() {
    let mut platform = Platform::new().await;
    let webhook = platform.webhook("CRM").patient().create().await;
    platform.take_in(EventType::LicenseCreated).await;
    let waiting = comes_to(&platform, &webhook, "retrying").await;
    platform.key = Service::new_key(&platform.world, "viewer").await;

    for action in ["retry", "cancel"] {
        assert_eq!(act(&platform, &waiting, action).await.0, 403, "{action}");
    }
    let replay = format!("{}/replay", webhook.path);
    for path in ["/api/v1/deliveries/retry", &replay] {
        assert_eq!(platform.post(path, &json!({})).await.0, 403, "{path}");
    }
    comes_to(&platform, &webhook, "retrying").await;
    platform.end().await;
}
