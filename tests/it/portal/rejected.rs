//! Rejected messages: read, requeued, discarded after asking.

use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Platform, Receiver, event, length_of, text_of};

const LIST: &str = "/admin/rejected-messages";

/// Puts messages into the queue of rejected messages, and waits for the list.
async fn reject(platform: &Platform, bodies: &[&str]) {
    for body in bodies {
        platform.world.broker.put_rejected(body).await;
    }
    let listed = async || {
        let page = platform.get("/api/v1/rejected-messages").await;
        (length_of(&page) == bodies.len()).then_some(())
    };
    let world = &platform.world;
    world.eventually("the messages are listed", listed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_message_is_read_and_requeued() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;
    let event = event(Environment::Production, EventType::LicenseActivated);
    reject(&platform, &[&text_of(&event)]).await;
    let browser = platform.browser_at(LIST).await;

    let reason = browser.text("tbody th a").await;
    browser.press(&reason).await;
    browser.see("Why it was rejected").await;
    let body = browser.text("pre").await;
    assert!(body.contains("\"license_id\": \"lic_42\""), "{body}");
    browser.press("Requeue").await;

    browser.see("The message is back in the queue.").await;
    browser.see("Nothing was rejected").await;
    let requests = receiver.arrived(1).await;
    assert_eq!(requests[0].body, event.body);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_messages_are_discarded_after_they_were_counted() {
    let platform = Platform::new().await;
    reject(&platform, &["wrong", "{\"a\":1}", "wronger"]).await;
    let browser = platform.browser().await;

    browser.open(LIST).await;
    browser.press("Discard all…").await;
    browser.see("Discard 3 messages?").await;
    browser.press("Keep them").await;
    browser.see("Rejected messages").await;
    assert_eq!(browser.count("tbody tr").await, 3);
    browser.press("Discard all…").await;
    browser.press("Discard 3 messages").await;

    browser.see("3 messages were discarded.").await;
    browser.see("Nothing was rejected").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_single_message_is_discarded_and_a_search_is_requeued() {
    let platform = Platform::new().await;
    reject(&platform, &["wrong", "wronger"]).await;
    let browser = platform.plain_browser().await;

    browser.open(LIST).await;
    browser.press(&browser.text("tbody th a").await).await;
    assert_eq!(browser.text("pre").await, "wronger");
    browser.press("Discard").await;
    browser.see("Discard this message?").await;
    browser.press("Discard message").await;
    browser.see("The message was discarded.").await;
    browser.fill("Search", "WITHOUT a reason").await;
    browser.press("Filter").await;
    browser.press("Requeue matching…").await;
    browser.see("with “WITHOUT a reason” in their reason").await;
    browser.press("Requeue 1 message").await;

    browser.see("1 message is back in the queue.").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reads_a_message_or_downloads_its_body_and_sees_no_buttons() {
    let platform = Platform::new().await;
    reject(&platform, &["<script>alert(1)</script>"]).await;
    let browser = platform.browser_of("viewer").await;

    browser.open(LIST).await;
    let on_list = browser
        .count("main button:not([data-copy]), main .button")
        .await;
    browser.press(&browser.text("tbody th a").await).await;

    browser.see("<script>alert(1)</script>").await;
    let download = "return fetch(location.pathname + '/body').then(async (file) =>
        [file.headers.get('content-disposition').split(';')[0], await file.text()]);";
    assert_eq!(
        browser.run(download, vec![]).await,
        json!(["attachment", "<script>alert(1)</script>"])
    );
    assert_eq!(on_list, 1, "only Filter, beside buttons that copy");
    assert_eq!(browser.count("main form, main .button").await, 0);
    browser.open(&format!("{LIST}/discard")).await;
    browser.see("Not allowed").await;
    browser.end().await;
    platform.end().await;
}
