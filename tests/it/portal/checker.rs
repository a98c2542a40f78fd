//! The signature checker tells what is wrong with a request that arrived.

use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, Platform, Received, Receiver};

const CHECKER: &str = "/admin/settings/signatures";

#[tokio::test(flavor = "multi_thread")]
async fn a_right_signature_holds_and_a_body_that_was_written_again_is_named() {
    let (platform, request) = arrived().await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open(CHECKER).await;

    browser.fill("Webhook", "receiver").await;
    browser.fill("Headers", &headers_of(&request)).await;
    browser.fill("Body", &body_of(&request)).await;
    browser.press("Check signature").await;
    browser.see("The signature is valid").await;
    let parsed: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
    let indented = serde_json::to_string_pretty(&parsed).expect("JSON");
    browser.fill("Body", &indented).await;
    browser.press("Check signature").await;

    browser.see("The signature is not valid").await;
    browser
        .see("The body is the same JSON as the sent body")
        .await;
    browser.see("verify over the raw bytes").await;
    let typed = browser.property("#body", "value").await;
    assert_eq!(typed.as_deref(), Some(indented.as_str()));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_wrong_secret_is_told_from_a_request_that_is_no_request() {
    let (platform, request) = arrived().await;
    let browser = Browser::without_scripts(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open(CHECKER).await;

    browser
        .fill("Or the Webhook Secret in your receiver", "whsec_short")
        .await;
    browser.fill("Headers", "no header").await;
    browser.press("Check signature").await;
    browser
        .see("“no header” is no header: write its name")
        .await;
    browser.see("Must be standard base64").await;
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    browser
        .fill("Or the Webhook Secret in your receiver", other)
        .await;
    browser.fill("Headers", &headers_of(&request)).await;
    browser.fill("Body", &body_of(&request)).await;
    browser.press("Check signature").await;

    browser
        .see("The request is signed with the secret of another webhook: Receiver")
        .await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_suggested_and_found_by_what_is_typed() {
    let platform = Platform::new().await;
    platform.webhook_at("https://hooks.example.com/in").await;
    platform.webhook_at("https://crm.example.com/in").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open(CHECKER).await;
    assert_eq!(browser.count("#suggested option").await, 2);

    browser.fill("Webhook", "crm").await;
    let only = "#suggested:not(:has(option + option)) option";
    let only = browser.property(only, "textContent").await;
    assert!(only.is_some_and(|text| text.contains("crm.example.com")));
    browser.press("Check signature").await;
    browser.see("No header is a signature").await;
    browser.fill("Webhook", "example.com").await;
    browser.press("Check signature").await;

    browser.see("Several webhooks fit").await;
    browser.end().await;
    platform.end().await;
}

/// A platform, and a request of it that arrived at a webhook.
async fn arrived() -> (Platform, Received) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    let first = async || receiver.received().into_iter().next();
    let request = platform.world.eventually("it arrives", first).await;
    (platform, request)
}

fn headers_of(request: &Received) -> String {
    let lines = request.headers.iter();
    let lines = lines.map(|(name, value)| format!("{name}: {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn body_of(request: &Received) -> String {
    String::from_utf8(request.body.clone()).expect("text")
}
