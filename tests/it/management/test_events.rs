//! Test events: through the real queue and dispatcher, to one webhook only.

use reqwest::StatusCode;
use serde_json::{Value, json};
use webhook_tests::{Answer, CreatedWebhook, Platform, Receiver, UNKNOWN_ID, assert_fields, each};

/// Sends a test event of `event_type` to a webhook and waits for the end of the delivery.
async fn test(
    platform: &Platform,
    webhook: &CreatedWebhook,
    event_type: &str,
) -> (StatusCode, Value) {
    let path = format!("{}/test?wait=10s", webhook.path);
    platform
        .post(&path, &json!({"event_type": event_type}))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_reaches_one_webhook_whatever_its_selection() {
    let platform = Platform::new().await;
    let (receiver, other) = tokio::join!(Receiver::answering(&[]), Receiver::answering(&[]));
    let webhook = platform.webhook_to(&receiver).types(&["product.*"]);
    let webhook = webhook.create().await;
    platform.webhook_to(&other).create().await;

    let (status, sent) = test(&platform, &webhook, "license.activated").await;

    assert_eq!(status, 202, "{sent}");
    assert_eq!(sent["delivery"]["status"], "succeeded");
    assert_eq!(sent["delivery"]["attempts"][0]["response_status"], 200);
    assert_eq!((receiver.count(), other.count()), (1, 0));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_is_marked_in_the_request_and_in_the_list() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;

    let (_, sent) = test(&platform, &webhook, "license.activated").await;

    let body: Value = serde_json::from_slice(&receiver.received()[0].body).expect("JSON");
    assert_fields(
        &body,
        &json!({"id": sent["event_id"], "type": "license.activated",
            "test": {"webhook_id": webhook.id}}),
    );
    assert_eq!(sent["delivery"]["test"], true);
    let deliveries = platform.get("/api/v1/deliveries").await;
    assert_eq!(deliveries["data"][0]["test"], true);
    platform.end().await;
}

/// Opens a webhook's circuit for an hour, after a pause.
async fn pause(platform: &Platform, webhook: &CreatedWebhook) {
    let sql = format!(
        "INSERT INTO webhook_health (webhook_id, failing_since, failures, paused_at, paused_until, pauses)
         VALUES ('{}', now(), 20, now(), now() + interval '1 h', 1)",
        webhook.id
    );
    platform.world.database.execute(&sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_is_attempted_once_in_spite_of_an_open_circuit() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    pause(&platform, &webhook).await;
    platform.world.broker.listen_to_status().await;

    let (_, sent) = test(&platform, &webhook, "contract.created").await;

    let delivery = &sent["delivery"];
    assert_eq!(delivery["status"], "failed");
    assert_eq!(each(&delivery["attempts"], "failure_class"), ["status"]);
    let told = platform.world.broker.told().await;
    assert!(told.is_empty(), "a test alarms nobody: {told:?}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_waiting_the_answer_names_the_delivery() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Hang).await;
    let webhook = platform.webhook_to(&receiver).create().await;

    let request = json!({"event_type": "license.created"});
    let path = format!("{}/test", webhook.path);
    let (status, sent) = platform.post(&path, &request).await;

    assert_eq!(status, 202);
    let id = sent["delivery"]["id"].as_str().expect("a delivery");
    let delivery = platform.get(&format!("/api/v1/deliveries/{id}")).await;
    assert_eq!(delivery["id"], id);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_an_inactive_or_unknown_webhook_is_refused() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").inactive().create().await;
    let request = json!({"event_type": "license.created"});

    let inactive = format!("{}/test", webhook.path);
    let (inactive, _) = platform.post(&inactive, &request).await;
    let unknown = format!("/api/v1/webhooks/{UNKNOWN_ID}/test");
    let (unknown, _) = platform.post(&unknown, &request).await;
    let too_long = format!("{}/test?wait=1h", webhook.path);
    let (too_long, _) = platform.post(&too_long, &request).await;

    let answers = [inactive, unknown, too_long].map(|status| status.as_u16());
    assert_eq!(answers, [409, 404, 422]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_event_cannot_pose_as_a_test() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;

    let forged = json!({"type": "license.created", "environment": "staging", "data": {},
        "test": {"webhook_id": webhook.id}});
    let (status, _) = platform.post("/api/v1/events", &forged).await;

    assert_eq!(status, 422);
    platform.end().await;
}
