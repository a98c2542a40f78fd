//! Test events: through the real queue and dispatcher, to one webhook only.

use serde_json::{Value, json};
use webhook_tests::{Answer, Platform, Receiver};

use crate::management::each;

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_reaches_one_webhook_whatever_it_wants_and_is_marked() {
    let platform = Platform::new().await;
    let (receiver, other) = (
        Receiver::answering(&[]).await,
        Receiver::answering(&[]).await,
    );
    let created = platform
        .create_webhook(&receiver.url, "staging", "active", &["product.*"])
        .await;
    platform
        .create_webhook(&other.url, "staging", "active", &["*"])
        .await;
    let path = webhook_tests::path_of(&created);

    let test = json!({"event_type": "license.activated"});
    let (status, sent) = platform.post(&format!("{path}/test?wait=10s"), &test).await;

    assert_eq!(status, 202, "{sent}");
    assert_eq!(
        (&sent["delivery"]["status"], &sent["delivery"]["test"]),
        (&json!("succeeded"), &json!(true))
    );
    assert_eq!(sent["delivery"]["attempts"][0]["response_status"], 200);
    let body: Value = serde_json::from_slice(&receiver.received()[0].body).expect("JSON");
    assert_eq!(body["test"], json!({"webhook_id": created["id"]}));
    assert_eq!(
        (&body["id"], &body["type"]),
        (&sent["event_id"], &json!("license.activated"))
    );
    assert_eq!((receiver.count(), other.count()), (1, 0));
    let log = platform.get("/api/v1/deliveries").await;
    assert_eq!(log["data"][0]["test"], true);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_is_tried_once_and_does_not_wait_for_an_open_circuit() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let path = platform.webhook_at(&receiver.url).await;
    let id = path.rsplit('/').next().expect("an id");
    platform.world.database.execute(&format!(
        "INSERT INTO webhook_health (webhook_id, failing_since, failures, paused_at, paused_until, pauses)
         VALUES ('{id}', now(), 20, now(), now() + interval '1 h', 1)"
    )).await;
    platform.world.broker.listen_to_status().await;

    let test = json!({"event_type": "contract.created"});
    let (_, sent) = platform.post(&format!("{path}/test?wait=10s"), &test).await;

    assert_eq!(sent["delivery"]["status"], "failed");
    assert_eq!(
        each(&sent["delivery"]["attempts"], "failure_class"),
        ["status"]
    );
    assert!(
        platform.world.broker.told().await.is_empty(),
        "nobody is alarmed"
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_waiting_the_answer_names_the_delivery() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Hang).await;
    let path = platform.webhook_at(&receiver.url).await;

    let test = json!({"event_type": "license.created"});
    let (status, sent) = platform.post(&format!("{path}/test"), &test).await;
    let id = sent["delivery"]["id"].as_str().expect("a delivery");

    assert_eq!(status, 202);
    assert_eq!(
        platform.get(&format!("/api/v1/deliveries/{id}")).await["id"],
        id
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_webhook_and_a_wrong_test_are_refused() {
    let platform = Platform::new().await;
    let created = platform
        .create_webhook("http://127.0.0.1:9/", "staging", "inactive", &["*"])
        .await;
    let path = webhook_tests::path_of(&created);
    let test = json!({"event_type": "license.created"});

    let (inactive, _) = platform.post(&format!("{path}/test"), &test).await;
    let (unknown, _) = platform
        .post(
            "/api/v1/webhooks/0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e/test",
            &test,
        )
        .await;
    let (wrong, _) = platform.post(&format!("{path}/test?wait=1h"), &test).await;
    let forged = json!({"type": "license.created", "environment": "staging", "data": {},
        "test": {"webhook_id": created["id"]}});
    let (over_http, _) = platform.post("/api/v1/events", &forged).await;

    let answers = [inactive, unknown, wrong, over_http].map(|status| status.as_u16());
    assert_eq!(answers, [409, 404, 422, 422]);
    platform.end().await;
}
