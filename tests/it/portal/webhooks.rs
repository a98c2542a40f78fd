//! The list of webhooks.

use webhook_tests::{Browser, Platform};

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_switched_off_in_place_and_that_is_taken_back() {
    let platform = Platform::new().await;
    platform.webhook_at("https://hooks.example.com/in").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.press("Deactivate Receiver").await;
    browser.see("“Receiver” is Inactive now").await;
    browser.see("Activate Receiver").await;
    browser.press("Undo").await;

    browser.see("“Receiver” is Active now").await;
    assert_eq!(browser.text(".badge").await, "Active");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_filters_and_is_in_the_address() {
    let platform = Platform::new().await;
    platform.webhook_at("https://hooks.example.com/in").await;
    platform.webhook_at("https://crm.example.com/in").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.fill("Search", "crm").await;

    browser.arrive("/admin/webhooks?search=crm").await;
    assert_eq!(
        browser.texts("tbody .url").await,
        ["https://crm.example.com/in"]
    );
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_works_without_scripts() {
    let platform = Platform::new().await;
    platform.webhook_at("https://hooks.example.com/in").await;
    let browser = Browser::without_scripts(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.press("Deactivate Receiver").await;
    browser.see("“Receiver” is Inactive now").await;
    browser.choose("Status", "Active").await;
    browser.press("Filter").await;

    browser.see("No webhooks match these filters").await;
    browser.end().await;
    platform.end().await;
}
