//! The secret of a webhook: shown on demand, replaced with a grace period.

use serde_json::json;
use webhook_tests::{Browser, CreatedWebhook, Platform, Receiver, length_of};

/// The page of a webhook's secret.
fn secret_page(webhook: &CreatedWebhook) -> String {
    format!("{}/secret", webhook.page)
}

/// Reads a webhook's secret and the previous secrets from the API.
async fn read_secret(platform: &Platform, webhook: &CreatedWebhook) -> serde_json::Value {
    platform.get(&format!("{}/secret", webhook.path)).await
}

/// Generates a new secret with the default grace period, and returns the secret on the page.
async fn generate_secret(browser: &Browser, webhook: &CreatedWebhook) -> String {
    browser.open(&secret_page(webhook)).await;
    browser.check("1 day (default)").await;
    browser.press("Generate New Secret").await;
    browser.see("The secret was replaced").await;
    let shown = browser.property("#secret-now", "value").await;
    shown.expect("the page shows the secret")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_signs_at_a_new_url_beside_the_old_secret() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook("CRM").create().await;
    let edit = format!("{}/edit", webhook.page);
    let browser = platform.browser_at(&edit).await;

    browser.fill("Target URL", &receiver.url).await;
    browser.press("Save webhook").await;
    browser.arrive(&format!("{}/test", webhook.page)).await;
    let shown = generate_secret(&browser, &webhook).await;
    let request = platform.next_request(&receiver).await;

    assert!(request.is_signed_by(&[&shown, &webhook.secret]));
    let now = read_secret(&platform, &webhook).await;
    assert_eq!(now["secret"], shown);
    assert_eq!(now["previous"][0]["secret"], webhook.secret);
    browser.end().await;
    platform.end().await;
}

/// The number of showings of a secret in the audit log.
async fn showings(platform: &Platform) -> usize {
    let audit = "/api/v1/audit?action=webhook.secret_read";
    length_of(&platform.get(audit).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_on_demand_and_each_showing_is_audited() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let page = secret_page(&webhook);
    let browser = platform.browser_at(&page).await;
    assert_eq!(browser.count("#secret-now").await, 0);
    assert_eq!(showings(&platform).await, 0);

    browser.press("Show secret").await;
    browser.press("Copy Webhook Secret").await;

    let shown = browser.property("#secret-now", "value").await;
    assert_eq!(shown, Some(webhook.secret));
    assert_eq!(showings(&platform).await, 1);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_secret_is_refused_at_its_field_and_choices_stay() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let page = secret_page(&webhook);
    let browser = platform.browser_at(&page).await;

    browser.check("Use my own").await;
    browser.check("0 (it leaked: stop using it now)").await;
    browser.fill("Your secret", "hunter2").await;
    browser.press("Generate New Secret").await;

    browser.see("Must start with whsec_").await;
    let grace_period = "[name=grace_period]:checked";
    let chosen = browser.property(grace_period, "value").await;
    assert_eq!(chosen.as_deref(), Some("0"));
    let stored = read_secret(&platform, &webhook).await;
    assert_eq!(stored["previous"], json!([]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_opens_no_page_that_changes_a_webhook_or_shows_its_secret() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let browser = platform.browser_of("viewer").await;

    for page in ["edit", "secret", "test", "delete"] {
        browser.open(&format!("{}/{page}", webhook.page)).await;
        browser.see("Not allowed").await;
    }
    browser.open("/admin/webhooks/new").await;
    browser.see("Not allowed").await;
    browser.end().await;
    platform.end().await;
}
