//! The page of a delivery.

use tokio::process::Command;
use webhook_domain::{Environment, EventType};
use webhook_tests::rows::URL;
use webhook_tests::{Browser, Platform, Received, Receiver, event_with};

use crate::portal::{create_with_token, deliver};

/// Opens the first delivery of the list.
async fn open_first(browser: &Browser) {
    browser.open("/admin/webhook-deliveries").await;
    browser.see("Newest first").await;
    let open = "document.querySelector('tbody th a').click()";
    browser.run(open, vec![]).await;
    browser.see("Created").await;
}

/// A platform with a failed delivery, and a browser at the delivery's page.
async fn at_failed_delivery() -> (Platform, Browser) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    platform.webhook_to(&receiver).once().create().await;
    deliver(&platform, "failed", 1).await;
    let browser = platform.browser().await;
    open_first(&browser).await;
    (platform, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_shows_the_failure_in_words() {
    let (platform, browser) = at_failed_delivery().await;

    browser.see("Attempt 1 failed: 500.").await;
    browser.see("The receiver failed on this event").await;
    browser
        .see("failed after 1 attempt, all retries used")
        .await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_is_retried_without_a_reload() {
    let (platform, browser) = at_failed_delivery().await;
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
    assert_eq!(loaded, "once");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_retry_is_explained_on_the_same_page() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").at(URL).create().await;
    platform.fail_deliveries(&webhook, 1).await;
    platform.set_status(&webhook, "inactive").await;
    let browser = platform.browser().await;
    open_first(&browser).await;

    browser.press("Retry now").await;

    browser
        .see("Not done: The webhook is Inactive; activate the webhook first.")
        .await;
    browser.see("Created").await;
    browser.end().await;
    platform.end().await;
}

/// The page of the newest delivery.
async fn newest_delivery(platform: &Platform) -> String {
    let deliveries = platform.get("/api/v1/deliveries").await;
    let id = deliveries["data"][0]["id"].as_str().expect("a delivery");
    format!("/admin/webhook-deliveries/{id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_delivery_is_cancelled_without_scripts() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let thrice = platform.webhook_to(&receiver);
    thrice.retrying_every(3_600_000, 3).create().await;
    deliver(&platform, "retrying", 1).await;
    let page = newest_delivery(&platform).await;
    let browser = platform.plain_browser_at(&page).await;
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

/// Runs a shell command to a successful end.
async fn run_in_shell(command: &str) {
    let ran = Command::new("sh").args(["-c", command]).output().await;
    assert!(ran.expect("sh runs").status.success(), "{command}");
}

/// Asserts equal bodies and headers of two requests, but for the value of `X-Token`.
fn assert_same_request(first: &Received, again: &Received) {
    assert_eq!(first.body, again.body);
    for (name, value) in &first.headers {
        let expected = match name.as_str() {
            "x-token" => "<the secret value of x-token>",
            _ => value,
        };
        assert_eq!(again.headers[name], expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_makes_the_same_request_again() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    create_with_token(&platform, "CRM", &receiver).await;
    let data = r#"{ "it's": "$HOME `id` \" \\",  "big":9007199254740993, "text":"é" }"#;
    let event = event_with(Environment::Production, EventType::LicenseCreated, data);
    platform.publish_event(&event).await;
    platform.deliveries_become("succeeded", 1).await;
    let browser = platform.browser().await;
    open_first(&browser).await;

    let command = browser.property("#curl", "textContent").await;
    run_in_shell(&command.expect("a command")).await;

    let requests = receiver.arrived(2).await;
    assert_same_request(&requests[0], &requests[1]);
    browser.end().await;
    platform.end().await;
}
