//! Each outcome of an explanation with the reason in words.

use serde_json::{Value, json};
use webhook_domain::{EventId, EventType};
use webhook_tests::{Answer, CreatedWebhook, Platform, Receiver};

use crate::events::{comes_to, each, explain, explain_to};

/// Asserts the name, outcome and reason of each webhook in an explanation.
#[track_caller]
fn assert_reasons(explained: &Value, expected: &[(&str, &str, &str)]) {
    let list = &explained["data"];
    let outcomes = each(list, "outcome").into_iter().zip(each(list, "reason"));
    let named = each(list, "name").into_iter().zip(outcomes);
    let told: Vec<_> = named
        .map(|(name, (outcome, reason))| (name, outcome, reason))
        .collect();
    assert_eq!(told, expected);
}

/// Creates a webhook whose receiver answers every request with `status`.
async fn answered(platform: &Platform, status: u16) -> CreatedWebhook {
    let receiver = Receiver::deciding(move |_, _| Answer::Status(status)).await;
    platform.webhook_to(&receiver).create().await
}

/// Waits for the outcome of a delivery, and asserts how the reason ends.
async fn assert_delivery(
    platform: &Platform,
    event: EventId,
    webhook: &CreatedWebhook,
    outcome: &str,
    reason: &str,
) {
    comes_to(platform, event, webhook, outcome).await;
    let explained = explain_to(platform, event, webhook).await;
    let told = explained["data"][0]["reason"].as_str().expect("a reason");
    assert!(told.ends_with(reason), "{told}");
    assert!(explained["data"][0]["delivery_id"].is_string());
    assert_eq!(explained["counts"][outcome], 1);
}

/// The outcomes of deliveries, and the ends of the reasons.
const OWED: [(&str, &str); 4] = [
    (
        "delivered",
        "the receiver accepted the event after 1 attempt",
    ),
    ("failed", "the delivery was given up after 1 attempt"),
    ("retrying", "the delivery will be retried"),
    ("pending", "the delivery waits for its first attempt"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_was_owed_an_event_is_explained_by_its_delivery() {
    let platform = Platform::new().await;
    let accepting = answered(&platform, 200).await;
    let gone = answered(&platform, 410).await;
    let failing = answered(&platform, 500).await;
    let waiting = platform.webhook("waiting").create().await;
    platform.open_circuit(&waiting).await;

    let event = platform.take_in(EventType::LicenseActivated).await;

    let webhooks = [accepting, gone, failing, waiting];
    for (webhook, (outcome, reason)) in webhooks.iter().zip(OWED) {
        assert_delivery(&platform, event, webhook, outcome, reason).await;
    }
    platform.end().await;
}

/// Removes the deliveries of a webhook, and dates events 11 s later: no delivery is awaited any
/// more.
async fn forget_deliveries(platform: &Platform, webhook: &CreatedWebhook) {
    let sql = format!(
        "DELETE FROM deliveries WHERE webhook_id = '{}';
         UPDATE events SET received_at = received_at + interval '11 s'",
        webhook.id
    );
    platform.world.database.execute(&sql).await;
}

/// The outcomes of a cancelled, a held and a removed delivery.
const ENDED: [(&str, &str, &str); 3] = [
    (
        "left",
        "cancelled",
        "the delivery was cancelled after 0 attempts",
    ),
    (
        "off",
        "pending",
        "the delivery waits until the webhook is Active again",
    ),
    (
        "old",
        "not_kept",
        "the event was owed to the webhook; the delivery is older than the retention period",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_a_held_and_a_forgotten_delivery_are_explained() {
    let platform = Platform::new().await;
    let left = platform.webhook("left").create().await;
    let old = platform.webhook("old").create().await;
    let off = platform.webhook("off").create().await;
    platform.open_circuit(&left).await;
    platform.open_circuit(&off).await;

    let event = platform.take_in(EventType::LicenseActivated).await;
    platform.delete(&left).await;
    platform.set_status(&off, "inactive").await;
    forget_deliveries(&platform, &old).await;

    assert_reasons(&explain(&platform, event, "").await, &ENDED);
    platform.end().await;
}

/// The outcomes of webhooks without a delivery of an event of `license.activated` in production.
const NOT_OWED: [(&str, &str, &str); 5] = [
    (
        "choosy",
        "not_subscribed",
        "the webhook had selected contract.*, license.created, not license.activated",
    ),
    ("off", "inactive", "the webhook was Inactive at that moment"),
    (
        "left",
        "deleted",
        "the webhook was deleted before the event was taken in",
    ),
    (
        "new",
        "created_later",
        "the webhook was created after the event was taken in",
    ),
    (
        "elsewhere",
        "other_environment",
        "the webhook was for staging; the event is of production",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_was_not_owed_an_event_gets_the_reason() {
    let platform = Platform::new().await;
    let elsewhere = platform.webhook("elsewhere").environment("staging");
    elsewhere.create().await;
    let selection = ["contract.*", "license.created"];
    platform.webhook("choosy").types(&selection).create().await;
    let off = platform.webhook("off").create().await;
    platform.set_status(&off, "inactive").await;
    let left = platform.webhook("left").create().await;
    platform.delete(&left).await;

    let event = platform.take_in(EventType::LicenseActivated).await;
    platform.webhook("new").create().await;

    let explained = explain(&platform, event, "").await;
    assert_reasons(&explained, &NOT_OWED);
    assert_eq!(explained["event"]["matched"], false);
    assert!(explained["data"][0]["delivery_id"].is_null());
    platform.end().await;
}

/// Sends a test event to a webhook, waits for the response, and returns the event's id.
async fn test(platform: &Platform, webhook: &CreatedWebhook) -> EventId {
    let path = format!("{}/test?wait=10s", webhook.path);
    let request = json!({"event_type": "license.created"});
    let (_, sent) = platform.post(&path, &request).await;
    let id = sent["event_id"].as_str().and_then(|id| id.parse().ok());
    id.expect("a test event has an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_is_explained_to_all_other_webhooks_as_a_test() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let tested = platform.webhook("tested").at(&receiver.url);
    let tested = tested.types(&["contract.*"]).create().await;
    platform.webhook("other").create().await;

    let event = test(&platform, &tested).await;

    let explained = explain(&platform, event, "").await;
    let delivered = "the receiver accepted the event after 1 attempt";
    let for_another = "the event is a test for another webhook";
    assert_reasons(
        &explained,
        &[
            ("tested", "delivered", delivered),
            ("other", "test_event", for_another),
        ],
    );
    assert_eq!(explained["event"]["test_webhook_id"], tested.id.as_str());
    platform.end().await;
}
