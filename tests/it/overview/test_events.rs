//! Test events count neither for health nor for rates, and what is said about retrying them is true.

use serde_json::{Value, json};
use webhook_tests::{Answer, Platform, Receiver};

use super::{create, publish, read, send_test};

/// The page of a delivery in the portal.
fn page_of(delivery: &Value) -> String {
    let id = delivery["id"].as_str().expect("an id");
    format!("/admin/webhook-deliveries/{id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_test_events_stain_neither_health_nor_rates() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let id = create(&platform, "CRM", &receiver.url).await;

    for _ in 0..2 {
        assert_eq!(send_test(&platform, &id).await["status"], "failed");
    }

    let webhook = read(&platform, &id).await;
    assert_eq!(webhook["health"], "unknown");
    assert_eq!(webhook["failing_since"], Value::Null);
    assert_eq!(webhook["last_delivery"], Value::Null);
    assert_eq!(webhook["last_24h"]["attempts"], 0);
    let total = platform.get("/api/v1/statistics").await["total"]["attempts"].clone();
    let overview = platform
        .get("/api/v1/overview?environment=production")
        .await;
    assert_eq!(
        (total, &overview["total"]["attempts"]),
        (json!(0), &json!(0))
    );
    assert_eq!(platform.world.database.attempts().await, 2, "they are kept");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn test_events_neither_open_a_circuit_nor_close_one() {
    let platform = Platform::new().await;
    let answers = |number, _: &webhook_tests::Received| {
        Answer::Status(match number {
            0..12 => 500,
            _ => 200,
        })
    };
    let receiver = Receiver::deciding(answers).await;
    let id = create(&platform, "CRM", &receiver.url).await;
    for _ in 0..12 {
        send_test(&platform, &id).await;
    }
    assert_eq!(read(&platform, &id).await["circuit"]["state"], "closed");
    platform.world.database.open_circuit(&id).await;

    assert_eq!(send_test(&platform, &id).await["status"], "succeeded");

    // The accepted test hastens the probe, and only an event closes the circuit.
    assert_eq!(read(&platform, &id).await["health"], "paused");
    publish(&platform, "succeeded", 2).await;
    super::becomes(&platform, &id, "healthy").await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_failed_test_says_that_a_retry_sends_it_once_more() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let id = create(&platform, "CRM", &receiver.url).await;
    let test = send_test(&platform, &id).await;

    let browser = platform.browser_at(&page_of(&test)).await;
    browser.see("failed after 1 attempt. Test events are not retried automatically. “Retry now” sends the test event once more.").await;
    browser.press("Retry now").await;
    let said = browser.see("failed after 2 attempts.").await;

    assert!(
        said.contains("Test events are not retried automatically."),
        "{said}"
    );
    assert!(!said.contains("starts the retry schedule again"), "{said}");
    assert_eq!(receiver.count(), 2);
    browser.end().await;
    platform.end().await;
}

/// Opens the circuit of a webhook with a failure, once the failure is noted.
async fn replace_failure_by_open_circuit(platform: &Platform, id: &str) {
    let database = &platform.world.database;
    let noted = async || {
        database
            .ask::<i64>("SELECT count(*) FROM webhook_health")
            .await
            == 1
    };
    platform.until("the failure is noted", noted).await;
    database.execute("DELETE FROM webhook_health").await;
    database.open_circuit(id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_waits_does_not_claim_to_be_sent_now() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let id = create(&platform, "CRM", &receiver.url).await;
    publish(&platform, "failed", 1).await;
    replace_failure_by_open_circuit(&platform, &id).await;
    let delivery = platform.get("/api/v1/deliveries").await["data"][0].clone();

    let browser = platform.browser_at(&page_of(&delivery)).await;
    browser.press("Retry now").await;

    let said = browser.see("The delivery is queued for a retry.").await;
    assert!(
        said.contains("Attempt 2 is due now. Deliveries wait while the webhook is"),
        "{said}"
    );
    assert!(!said.contains("sent now"), "{said}");
    browser.end().await;
    platform.end().await;
}
