//! The story of a delivery.

use serde_json::json;
use tokio::process::Command;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, Platform, Receiver, event_with};

use crate::portal::deliveries::{create, deliver, fail};

/// Opens the first delivery of the list.
async fn open_first(browser: &Browser) {
    browser.open("/admin/webhook-deliveries").await;
    browser.see("Newest first").await;
    let open = "document.querySelector('tbody th a').click()";
    browser.run(open, vec![]).await;
    browser.see("Created").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_is_understood_and_sent_again_in_place() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    create(&platform, "CRM", &receiver.url).await;
    deliver(&platform, "failed", 1).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    open_first(&browser).await;
    browser.see("Attempt 1 failed: 500.").await;
    browser.see("The receiver failed on this event").await;
    browser
        .see("failed after 1 attempt, all retries used")
        .await;
    browser.run("window.loaded = 'once'", vec![]).await;

    browser.press("Retry now").await;

    browser.see("The delivery is queued for a retry.").await;
    browser
        .see("None: the webhook accepted the delivery.")
        .await;
    browser.see("Manual retries").await;
    let attempts = browser.texts(".attempt .badge").await;
    assert_eq!(attempts, ["Accepted", "Failed"]);
    let loaded = browser.run("return window.loaded", vec![]).await;
    assert_eq!(loaded, json!("once"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_says_why_where_one_is() {
    let platform = Platform::new().await;
    let webhook = create(&platform, "CRM", "https://hooks.example.com/in").await;
    fail(&platform, &webhook, 1).await;
    let path = format!("/api/v1/webhooks/{webhook}/deactivate");
    platform.post(&path, &json!({})).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    open_first(&browser).await;

    browser.press("Retry now").await;

    browser
        .see("Not done: Its webhook is Inactive; activate it first.")
        .await;
    browser.see("Created").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_waits_is_cancelled_without_scripts() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let webhook = create(&platform, "CRM", &receiver.url).await;
    let policy = json!({"retry_policy": {"max_attempts": 3, "initial_interval_ms": 3_600_000}});
    let path = format!("/api/v1/webhooks/{webhook}");
    platform.patch(&path, &policy).await;
    let browser = Browser::without_scripts(&platform.api).await;
    browser.sign_in(&platform.key).await;
    deliver(&platform, "retrying", 1).await;
    let id = platform.get("/api/v1/deliveries").await["data"][0]["id"].clone();
    let page = format!("/admin/webhook-deliveries/{}", id.as_str().expect("an id"));
    browser.open(&page).await;
    browser.see("If this attempt fails: 1 more").await;

    browser.press("Cancel").await;

    browser
        .see("The delivery is cancelled. It is not attempted again.")
        .await;
    browser.see("None: the delivery was cancelled.").await;
    browser.press("Raw request body").await;
    browser.arrive(&format!("{page}?raw=1")).await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_makes_the_same_request_again() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    create(&platform, "CRM", &receiver.url).await;
    let data = r#"{ "it's": "$HOME `id` \" \\",  "big":9007199254740993, "text":"é" }"#;
    let event = event_with(Environment::Production, EventType::LicenseCreated, data);
    let body = String::from_utf8(event.body.to_vec()).expect("text");
    let (status, _) = platform
        .ask(reqwest::Method::POST, "/api/v1/events", Some(body))
        .await;
    assert_eq!(status, 202);
    let there = async || (platform.count("succeeded").await == 1).then_some(());
    platform.world.eventually("it is delivered", there).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    open_first(&browser).await;

    let command = browser.property("#curl", "textContent").await;
    let ran = Command::new("sh")
        .args(["-c", &command.expect("a command")])
        .output()
        .await;

    assert!(ran.expect("it runs").status.success());
    let received = receiver.received();
    let [first, again] = received.as_slice() else {
        panic!("two requests: {received:?}");
    };
    assert_eq!(first.body, again.body);
    for (name, value) in &first.headers {
        let sent = match name.as_str() {
            "x-token" => "<the secret value of x-token>",
            _ => value,
        };
        assert_eq!(again.headers[name], sent, "{name}");
    }
    browser.end().await;
    platform.end().await;
}
