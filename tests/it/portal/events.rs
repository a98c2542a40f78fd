//! Events: listed, and explained for every webhook.

use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{Platform, Receiver, event_with, text_of};

/// Publishes an event for three webhooks: CRM gets the event, Choosy has another selection, Off is
/// Inactive.
async fn publish_to_three(platform: &Platform) -> EventId {
    let receiver = Receiver::answering(&[]).await;
    let crm = platform.webhook("CRM").at(&receiver.url);
    crm.create().await;
    let choosy = platform.webhook("Choosy").types(&["contract.*"]);
    choosy.create().await;
    let off = platform.webhook("Off").create().await;
    platform.set_status(&off, "inactive").await;
    let event = platform.take_in(EventType::LicenseActivated).await;
    platform.deliveries_become("succeeded", 1).await;
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_an_event_tells_the_outcome_for_every_webhook() {
    let platform = Platform::new().await;
    let event = publish_to_three(&platform).await;
    let browser = platform.browser().await;

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
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhooks_of_an_event_are_filtered_by_outcome() {
    let platform = Platform::new().await;
    let event = publish_to_three(&platform).await;
    let page = format!("/admin/events/{event}");
    let browser = platform.browser_at(&page).await;

    browser.press("Inactive 1").await;

    browser.arrive(&format!("{page}?outcome=inactive")).await;
    assert_eq!(browser.texts("#webhooks tbody th").await, ["Off"]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_of_an_event_is_shown_indented_and_byte_for_byte() {
    let platform = Platform::new().await;
    let data = r#"{"z":1e400,"a":"<b>1.10</b>"}"#;
    let event = event_with(Environment::Staging, EventType::LicenseUpdated, data);
    platform.take_in_event(&event).await;
    let page = format!("/admin/events/{}", event.id);
    let browser = platform.browser_at(&page).await;

    browser.press("Raw, byte for byte as published").await;

    browser.see(&text_of(&event)).await;
    let shown = browser.texts("pre").await;
    let indented = "\"z\": 1e400,\n    \"a\": \"<b>1.10</b>\"";
    assert!(shown[0].contains(indented), "{shown:?}");
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
    let browser = platform.plain_browser().await;

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
