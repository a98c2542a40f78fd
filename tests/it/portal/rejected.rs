//! Rejected messages: read, requeued, discarded after asking.

use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, Platform, Receiver, Service, event};

const LIST: &str = "/admin/rejected-messages";

/// Puts messages among the rejected ones, and waits until they are listed.
async fn reject(platform: &Platform, bodies: &[&str]) {
    for body in bodies {
        platform.world.broker.put_rejected(body).await;
    }
    let listed = async || {
        let page = platform.get("/api/v1/rejected-messages").await;
        let rows = page["data"].as_array().map_or(0, Vec::len);
        (rows == bodies.len()).then_some(())
    };
    platform.world.eventually("they are listed", listed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_message_is_read_and_requeued() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    let event = event(Environment::Production, EventType::LicenseActivated);
    let body = String::from_utf8(event.body.to_vec()).expect("text");
    reject(&platform, &[&body]).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.open(LIST).await;
    let reason = browser.text("tbody th a").await;
    browser.press(&reason).await;
    browser.see("Why it was rejected").await;
    assert!(
        browser
            .text("pre")
            .await
            .contains("\"license_id\": \"lic_42\"")
    );
    browser.press("Requeue").await;

    browser.see("The message is back in the queue.").await;
    browser.see("Nothing was rejected").await;
    let arrived = async || receiver.has(&event.body).then_some(());
    platform.world.eventually("it is delivered", arrived).await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_found_is_discarded_after_it_was_counted_and_asked() {
    let platform = Platform::new().await;
    reject(&platform, &["wrong", "{\"a\":1}", "wronger"]).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

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
async fn without_scripts_one_is_discarded_and_what_a_search_finds_is_requeued() {
    let platform = Platform::new().await;
    reject(&platform, &["wrong", "wronger"]).await;
    let browser = Browser::without_scripts(&platform.api).await;
    browser.sign_in(&platform.key).await;

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
async fn a_viewer_reads_a_message_or_takes_its_body_and_sees_no_buttons() {
    let platform = Platform::new().await;
    reject(&platform, &["<script>alert(1)</script>"]).await;
    let key = Service::new_key(&platform.world, "viewer").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&key).await;

    browser.open(LIST).await;
    let on_list = browser.count("main button, main .button").await;
    browser.press(&browser.text("tbody th a").await).await;

    browser.see("<script>alert(1)</script>").await;
    let download = "return fetch(location.pathname + '/body').then(async (file) =>
        [file.headers.get('content-disposition').split(';')[0], await file.text()]);";
    assert_eq!(
        browser.run(download, vec![]).await,
        json!(["attachment", "<script>alert(1)</script>"])
    );
    assert_eq!(on_list, 1, "only Filter");
    assert_eq!(browser.count("main form, main .button").await, 0);
    browser.open(&format!("{LIST}/discard")).await;
    browser.see("Not allowed").await;
    browser.end().await;
    platform.end().await;
}
