//! The signature checker: the fault of a request that arrived.

use webhook_tests::{Browser, Platform, Received, Receiver};

const CHECKER: &str = "/admin/settings/signatures";

/// Fills in the headers and the body of a request, and presses the button.
async fn check(browser: &Browser, request: &Received, body: &str) {
    browser.fill("Headers", &headers_of(request)).await;
    browser.fill("Body", body).await;
    browser.press("Check signature").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_signature_is_valid() {
    let (platform, request) = arrived().await;
    let browser = platform.browser_at(CHECKER).await;

    browser.fill("Webhook", "receiver").await;
    check(&browser, &request, request.text()).await;

    browser.see("The signature is valid").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_parsed_and_written_again_is_named_as_the_fault() {
    let (platform, request) = arrived().await;
    let browser = platform.browser_at(CHECKER).await;
    let parsed: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
    let indented = serde_json::to_string_pretty(&parsed).expect("JSON");

    browser.fill("Webhook", "receiver").await;
    check(&browser, &request, &indented).await;

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

/// The field for a secret in place of a webhook.
const SECRET: &str = "Or the Webhook Secret in your receiver";

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_each_malformed_field_is_named() {
    let platform = Platform::new().await;
    let browser = platform.plain_browser_at(CHECKER).await;

    browser.fill(SECRET, "whsec_short").await;
    browser.fill("Headers", "no header").await;
    browser.press("Check signature").await;

    browser
        .see("“no header” is no header: write its name")
        .await;
    browser
        .see("After whsec_, put 24 to 64 bytes in base64")
        .await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_wrong_secret_is_told_with_the_webhook_that_signed() {
    let (platform, request) = arrived().await;
    let browser = platform.plain_browser_at(CHECKER).await;
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    browser.fill(SECRET, other).await;
    check(&browser, &request, request.text()).await;

    browser
        .see("The request is signed with the secret of another webhook: Receiver")
        .await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_suggested_and_found_by_a_part_of_its_url() {
    let platform = Platform::new().await;
    for url in ["https://hooks.example.com/in", "https://crm.example.com/in"] {
        platform.webhook("Receiver").at(url).create().await;
    }
    let browser = platform.browser_at(CHECKER).await;
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

/// A platform, and a request that arrived at a webhook of the platform.
async fn arrived() -> (Platform, Received) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;
    let request = platform.next_request(&receiver).await;
    (platform, request)
}

fn headers_of(request: &Received) -> String {
    let lines = request.headers.iter();
    let lines = lines.map(|(name, value)| format!("{name}: {value}"));
    lines.collect::<Vec<_>>().join("\n")
}
