//! Events: listed, and explained for every webhook.

use serde_json::json;
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{Browser, Platform, Receiver};

/// Makes an Active webhook of production, and tells its id.
async fn create(platform: &Platform, name: &str, types: &[&str], url: &str) -> String {
    let webhook =
        json!({"name": name, "url": url, "environment": "production", "event_types": types});
    let (status, created) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(status, 201, "{created}");
    created["id"].as_str().expect("an id").to_owned()
}

/// Publishes an event that one webhook gets, one does not want, and one is too Inactive for.
async fn publish_to_three(platform: &Platform) -> EventId {
    let receiver = Receiver::answering(&[]).await;
    create(platform, "CRM", &["*"], &receiver.url).await;
    create(platform, "Choosy", &["contract.*"], &receiver.url).await;
    let off = create(platform, "Off", &["*"], &receiver.url).await;
    let path = format!("/api/v1/webhooks/{off}");
    platform.patch(&path, &json!({"status": "inactive"})).await;
    let event = platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    let delivered = async || (platform.count("succeeded").await == 1).then_some(());
    platform
        .world
        .eventually("it is delivered", delivered)
        .await;
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_tells_what_became_of_it_for_every_webhook() {
    let platform = Platform::new().await;
    let event = publish_to_three(&platform).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.press("Events").await;
    browser.arrive("/admin/events").await;
    browser.press("license.activated").await;
    browser.arrive(&format!("/admin/events/{event}")).await;

    browser
        .see("Of 3 webhooks, 1 accepted it, 1 was not subscribed and 1 was Inactive.")
        .await;
    for told in [
        "CRM The receiver accepted the event after 1 attempt.",
        "Choosy The webhook had selected contract.*, not license.activated.",
        "Off The webhook was Inactive at that moment.",
    ] {
        browser.see(told).await;
    }
    browser.press("Inactive 1").await;
    browser
        .arrive(&format!("/admin/events/{event}?outcome=inactive"))
        .await;
    assert_eq!(browser.texts("#webhooks tbody th").await, ["Off"]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_events_body_is_shown_readably_and_as_it_is_sent() {
    let platform = Platform::new().await;
    let event = EventId(uuid::Uuid::now_v7());
    let body = format!(
        r#"{{"id":"{event}","type":"license.updated","environment":"staging","timestamp":"2026-11-23T08:15:30.123Z","data":{{"z":1e400,"a":"<b>1.10</b>"}}}}"#
    );
    let published = platform
        .ask(reqwest::Method::POST, "/api/v1/events", Some(body.clone()))
        .await;
    assert_eq!(published.0, 202, "{}", published.1);
    platform.taken_in(event).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.open(&format!("/admin/events/{event}")).await;
    browser.press("Raw, byte for byte as it is sent").await;

    browser.see(&body).await;
    let shown = browser.texts("pre").await;
    assert!(
        shown[0].contains("\"z\": 1e400,\n    \"a\": \"<b>1.10</b>\""),
        "{shown:?}"
    );
    assert!(browser.says("There is no webhook yet.").await);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_filtered_in_the_address_without_scripts_too() {
    let platform = Platform::new().await;
    for event_type in [EventType::LicenseCreated, EventType::ProductCreated] {
        let event = platform.publish(Environment::Staging, event_type).await;
        platform.taken_in(event).await;
    }
    let browser = Browser::without_scripts(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.open("/admin/events?since=2026-01-01T00:00").await;
    browser.choose("Event type", "product.created").await;
    browser.choose("Matched a webhook", "No").await;
    browser.press("Filter").await;

    browser.see("product.created Staging").await;
    assert_eq!(browser.texts("tbody th").await, ["product.created"]);
    let path = browser.path().await;
    assert!(path.contains("event_type=product.created") && path.contains("matched=false"));
    browser.open("/admin/events?since=2999-01-01T00:00").await;
    browser.see("No events match").await;
    browser.end().await;
    platform.end().await;
}
