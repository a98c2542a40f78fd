//! Single keys: search, create, rows, the list of keys, and the switch that turns them off.

use serde_json::{Value, json};
use webhook_tests::{Browser, Platform};

/// Enter and Escape, as WebDriver names them.
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// The switch in the list of keys.
const SWITCH: &str = "Single keys are on in this browser";

/// A browser at a list of two webhooks, whose scripts run.
async fn at_list() -> (Platform, Browser) {
    let platform = Platform::new().await;
    platform.webhook("CRM").create().await;
    platform.webhook("Billing").create().await;
    let browser = platform.browser().await;
    browser.see("Keyboard shortcuts").await;
    (platform, browser)
}

/// The place of the row that has the focus, from 0.
async fn row_in_focus(browser: &Browser) -> Value {
    let row = "return [...document.querySelectorAll('tbody tr')].indexOf(document.activeElement.closest('tr'))";
    browser.run(row, vec![]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_walked_and_opened_by_key() {
    let (platform, browser) = at_list().await;
    let mut rows = Vec::new();

    for key in ["j", "j", "j", "k"] {
        browser.type_keys(key).await;
        rows.push(row_in_focus(&browser).await);
    }
    let link = "return document.activeElement.pathname";
    let link = browser.run(link, vec![]).await;
    browser.type_keys(ENTER).await;

    assert_eq!(rows, [json!(0), json!(1), json!(1), json!(0)]);
    browser.arrive(link.as_str().expect("a link")).await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_searches_and_keys_in_a_field_are_text() {
    let (platform, browser) = at_list().await;

    browser.type_keys("/").await;
    let focused = browser.focused().await;
    browser.type_keys("cj?").await;

    browser.arrive("/admin/webhooks?search=cj%3F").await;
    assert_eq!(focused, "Search");
    let typed = browser.property("#filter-search", "value").await;
    assert_eq!(typed.as_deref(), Some("cj?"));
    assert_eq!(browser.count("dialog").await, 0);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_creates_a_webhook_and_a_key_of_the_browser_does_not() {
    let (platform, browser) = at_list().await;
    let with_control = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'c', ctrlKey: true, bubbles: true}))";

    browser.run(with_control, vec![]).await;
    browser.type_keys("j").await;
    let stayed = row_in_focus(&browser).await;
    browser.type_keys("c").await;

    assert_eq!(stayed, json!(0));
    browser.arrive("/admin/webhooks/new").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_has_no_key_to_create() {
    let platform = Platform::new().await;
    let browser = platform.browser_of("viewer").await;
    browser.see("Keyboard shortcuts").await;

    browser.type_keys("c").await;
    browser.type_keys("/").await;

    assert_eq!(browser.focused().await, "Search");
    browser.end().await;
    platform.end().await;
}

/// Turns single keys off, or on again, in the list of keys.
async fn turn(browser: &Browser) {
    browser.press("Keyboard shortcuts").await;
    browser.see("Create a webhook").await;
    browser.check(SWITCH).await;
    browser.press("Close").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_keys_opens_by_key_and_closes_with_escape() {
    let (platform, browser) = at_list().await;

    browser.type_keys("?").await;
    browser.see("Create a webhook").await;
    browser.type_keys(ESCAPE).await;

    assert_eq!(browser.count("dialog[open]").await, 0);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_keys_are_turned_off_for_good_and_on_again() {
    let (platform, browser) = at_list().await;

    turn(&browser).await;
    browser.reload().await;
    browser.see("Keyboard shortcuts").await;
    browser.type_keys("?").await;
    browser.type_keys("c").await;
    assert_eq!(browser.path().await, "/admin/webhooks");
    assert_eq!(browser.count("dialog").await, 0);
    turn(&browser).await;
    browser.type_keys("c").await;

    browser.arrive("/admin/webhooks/new").await;
    browser.end().await;
    platform.end().await;
}
