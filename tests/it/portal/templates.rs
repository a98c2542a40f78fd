//! Templates in the form of a webhook, and their versions.

use super::*;

/// A template, and the same template with a misspelt filter.
const TEMPLATE: &str = r#"{"text": "{{data.license_id|upper}}"}"#;
const MISSPELT: &str = r#"{"text": "{{data.license_id|uper}}"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_typed_mended_saved_and_sent() {
    let (platform, receiver) = (Platform::new().await, Receiver::answering(&[]).await);
    let browser = platform.browser_at("/admin/webhooks/new").await;
    browser.fill("Name", "Pager").await;
    browser.fill("Target URL", &receiver.url).await;
    browser.check("license.activated").await;

    browser.choose("Format", "Custom template").await;
    browser.fill("Template", MISSPELT).await;
    browser.press("Save webhook").await;
    browser
        .see("/text: unknown filter `uper`; did you mean `upper`?")
        .await;
    browser.fill("Template", TEMPLATE).await;
    browser.press("Save webhook").await;
    browser.see("“Pager” is saved").await;

    let request = platform.next_request(&receiver).await;
    assert!(
        request.text().starts_with(r#"{"text":"#),
        "{}",
        request.text()
    );
    platform.deliveries_become("succeeded", 1).await;
    let delivery = &platform.read_deliveries().await[0]["id"];
    let page = format!(
        "/admin/webhook-deliveries/{}",
        delivery.as_str().expect("an id")
    );
    browser.open(&page).await;
    browser.press("version 1 of the template").await;
    browser.see("Version 1 in use").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_not_json_is_refused_with_its_line_without_scripts_too() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("Pager").create().await;
    let browser = platform
        .plain_browser_at(&format!("{}/edit", webhook.page))
        .await;
    let broken = "{\"text\": {{id}}}";

    browser.choose("Format", "Custom template").await;
    browser.fill("Template", broken).await;
    browser.press("Save webhook").await;

    browser
        .see("Line 1, column 11: a placeholder must stand inside a string")
        .await;
    assert_eq!(
        browser.property("#template", "value").await.as_deref(),
        Some(broken)
    );
    browser.choose("Format", "Event (JSON)").await;
    browser.press("Save webhook").await;
    browser.see("“Pager” is saved").await;
    let read = platform.get(&webhook.path).await;
    assert_eq!(read["template"], serde_json::Value::Null);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubt_about_a_path_is_told_after_saving() {
    let platform = Platform::new().await;
    let webhook = platform
        .webhook("Pager")
        .types(&["license.created"])
        .create()
        .await;
    let browser = platform.browser_at(&format!("{}/edit", webhook.page)).await;
    assert_eq!(
        browser.texts("#template").await,
        [""],
        "the field is hidden"
    );

    browser.choose("Format", "Custom template").await;
    browser
        .fill("Template", r#"{"text": "{{data.license_idd}}"}"#)
        .await;
    browser.press("Save webhook").await;

    browser.see("“Pager” is saved").await;
    browser.see("did you mean `data.license_id`?").await;
    browser.press("version 1").await;
    browser.see("Templates of Pager").await;
    browser.end().await;
    platform.end().await;
}
