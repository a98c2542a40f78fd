//! The list of webhooks.

use webhook_tests::Platform;
use webhook_tests::rows::URL;

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_set_inactive_in_the_list_and_active_again_by_undo() {
    let platform = Platform::new().await;
    platform.webhook("Receiver").at(URL).create().await;
    let browser = platform.browser().await;

    browser.press("Active Receiver").await;
    browser.see("“Receiver” is Inactive now").await;
    browser.press("Undo").await;

    browser.see("“Receiver” is Active now").await;
    assert_eq!(browser.text(".badge").await, "Active");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_search_filters_the_list_and_is_in_the_address() {
    let platform = Platform::new().await;
    platform.webhook("Receiver").at(URL).create().await;
    let crm = "https://crm.example.com/in";
    platform.webhook("CRM").at(crm).create().await;
    let browser = platform.browser().await;

    browser.fill("Search", "crm").await;

    browser.arrive("/admin/webhooks?search=crm").await;
    // The host and the path are boxes of their own, of which the host is shortened.
    assert_eq!(browser.texts("tbody .url").await, ["crm.example.com\n/in"]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_works_without_scripts() {
    let platform = Platform::new().await;
    platform.webhook("Receiver").at(URL).create().await;
    let browser = platform.plain_browser().await;

    browser.press("Active Receiver").await;
    browser.see("“Receiver” is Inactive now").await;
    browser.choose("Status", "Active").await;
    browser.press("Filter").await;

    browser.see("No webhooks match these filters").await;
    browser.end().await;
    platform.end().await;
}
