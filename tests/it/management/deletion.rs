//! Webhooks deleted: unknown from then on, with a history that stays.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::EventType;
use webhook_tests::{Answer, CreatedWebhook, Platform, Receiver, each};

/// A platform with a webhook that was deleted after a failed attempt, and before another event.
async fn with_deleted_webhook() -> (Platform, CreatedWebhook) {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Header(500, "Retry-After: 3600")).await;
    let webhook = platform.webhook_to(&receiver).patient().create().await;
    platform.take_in(EventType::LicenseCreated).await;
    let (world, database) = (&platform.world, &platform.world.database);
    world.becomes("attempts", 1, || database.attempts()).await;
    platform.delete(&webhook).await;
    platform.take_in(EventType::LicenseCreated).await;
    (platform, webhook)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_webhook_is_unknown_to_every_request() {
    let (platform, webhook) = with_deleted_webhook().await;

    for (method, body) in [
        (Method::GET, None),
        (Method::DELETE, None),
        (Method::PATCH, Some("{}".to_owned())),
    ] {
        assert_eq!(platform.ask(method, &webhook.path, body).await.0, 404);
    }
    assert_eq!(platform.get("/api/v1/webhooks").await["data"], json!([]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deliveries_of_a_deleted_webhook_are_cancelled_and_their_attempts_stay() {
    let (platform, _) = with_deleted_webhook().await;

    let deliveries = platform.get("/api/v1/deliveries").await;

    assert_eq!(each(&deliveries["data"], "status"), ["cancelled"]);
    let id = deliveries["data"][0]["id"].as_str().expect("an id");
    let delivery: Value = platform.get(&format!("/api/v1/deliveries/{id}")).await;
    assert_eq!(delivery["attempts"][0]["response_status"], 500);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_a_deleted_webhook_is_removed() {
    let (platform, _) = with_deleted_webhook().await;

    let secrets = "SELECT count(*) FROM webhooks WHERE octet_length(sealed_secret) > 0";
    let secrets: i64 = platform.world.database.ask(secrets).await;

    assert_eq!(secrets, 0);
    platform.end().await;
}

/// 6,000 pending deliveries of `{webhook}`.
const LATE_DELIVERIES: &str = include_str!("deletion.sql");

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_are_created_during_the_deletion_are_cancelled_in_the_end() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    platform.delete(&webhook).await;
    // An intake that ran during the deletion may still have seen the webhook.
    let late = LATE_DELIVERIES.replace("{webhook}", &webhook.id);
    platform.world.database.execute(&late).await;

    let (world, database) = (&platform.world, &platform.world.database);
    let cancelled = "SELECT count(*) FROM deliveries WHERE status = 'cancelled'";
    world
        .becomes("cancelled deliveries", 6_000, || database.ask(cancelled))
        .await;
    platform.end().await;
}
