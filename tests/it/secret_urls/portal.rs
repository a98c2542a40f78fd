//! The portal: a secret URL is revealed on demand, kept by the form, and checked in the body of a request.

use serde_json::json;
use webhook_tests::{Platform, length_of};

use super::{OTHER_SLACK, SLACK, SLACK_SHOWN, revealed, webhook_in};

/// The number of showings of a URL in the audit log.
async fn showings(platform: &Platform) -> usize {
    let audit = "/api/v1/audit?action=webhook.url_read";
    length_of(&platform.get(audit).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_revealed_on_demand_and_each_showing_is_audited() {
    let platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;
    let browser = platform.browser_at(&webhook.page).await;
    browser.see(SLACK_SHOWN).await;

    browser.press("Reveal URL").await;
    browser.see("The URL is hidden").await;
    assert_eq!(showings(&platform).await, 0);
    browser.press("Show URL").await;
    browser.press("Copy the Target URL").await;

    let shown = browser.property("#whole-url", "value").await;
    assert_eq!(shown.as_deref(), Some(SLACK));
    assert_eq!(showings(&platform).await, 1);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_keeps_the_url_that_it_shows_and_takes_another_one() {
    let platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;
    let browser = platform.browser_at(&format!("{}/edit", webhook.page)).await;

    browser.fill("Name", "Renamed").await;
    browser.press("Save webhook").await;
    browser.see("“Renamed” is saved").await;
    let kept = revealed(&platform, &webhook).await;
    browser.open(&format!("{}/edit", webhook.page)).await;
    browser.fill("Target URL", OTHER_SLACK).await;
    browser.press("Save webhook").await;
    browser.see("“Renamed” is saved").await;

    assert_eq!(kept, SLACK);
    assert_eq!(revealed(&platform, &webhook).await, OTHER_SLACK);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shown_form_typed_again_is_no_fault_and_another_webhooks_is() {
    let platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;
    let browser = platform.browser_at(&format!("{}/edit", webhook.page)).await;

    browser
        .fill("Target URL", "https://hooks.slack.com/…abcd")
        .await;
    browser.fill("Name", "Renamed").await;
    browser.see("Enter the whole URL").await;
    browser.fill("Target URL", SLACK_SHOWN).await;
    browser.fill("Name", "Renamed again").await;
    let gone = async || !browser.says("Enter the whole URL").await;
    platform.until("the fault is gone", gone).await;

    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_secret_by_a_tick_and_its_clone_asks_for_the_url() {
    let platform = Platform::new().await;
    let webhook = webhook_in(
        &platform,
        "json",
        "https://hooks.example.com/with-a-token-inside",
    )
    .await;
    let browser = platform.browser_at(&format!("{}/edit", webhook.page)).await;

    browser.check("Keep the URL secret").await;
    browser.press("Save webhook").await;
    browser.see("is saved").await;
    browser
        .open(&format!("/admin/webhooks/new?from={}", webhook.id))
        .await;
    browser.see("Its Target URL is secret").await;

    let read = platform.get(&webhook.path).await;
    assert_eq!(read["url"], json!("https://hooks.example.com/…side"));
    assert_eq!(browser.property("#url", "value").await.as_deref(), Some(""));
    browser.end().await;
    platform.end().await;
}
