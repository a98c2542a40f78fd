//! A form that was changed and not saved asks before it is left.

use serde_json::json;
use webhook_tests::{Browser, Platform};

const QUESTION: &str = "Leave without saving?";

/// Whether the browser would ask before it closes the page.
async fn holds_back(browser: &Browser) -> bool {
    let script = "const leaving = new Event('beforeunload', {cancelable: true});
        dispatchEvent(leaving);
        return leaving.defaultPrevented";
    browser.run(script, vec![]).await == json!(true)
}

/// Opens a page of a new webhook with an owner's session, and returns the webhook's page too.
async fn open(platform: &Platform, part: &str) -> (Browser, String) {
    let path = platform.webhook_at("https://hooks.example.com/in").await;
    let page = path.replace("/api/v1", "/admin");
    let browser = platform.browser().await;
    browser.open(&format!("{page}/{part}")).await;
    (browser, page)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_form_asks_before_a_link_leaves_it() {
    let platform = Platform::new().await;
    let (browser, page) = open(&platform, "edit").await;

    let at_first = holds_back(&browser).await;
    browser.fill("Name", "Changed").await;
    let changed = holds_back(&browser).await;
    browser.press("Cancel").await;
    browser.see(QUESTION).await;
    browser.press("Keep editing").await;
    let kept = browser.property("#name", "value").await;
    browser.press("Cancel").await;
    browser.press("Leave without saving").await;

    browser.arrive(&page).await;
    assert_eq!((at_first, changed), (false, true));
    assert_eq!(kept.as_deref(), Some("Changed"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_as_it_was_or_is_saved_asks_nothing() {
    let platform = Platform::new().await;
    let (browser, page) = open(&platform, "edit").await;

    browser.fill("Name", "Changed").await;
    browser.fill("Name", "Receiver").await;
    let unchanged = holds_back(&browser).await;
    browser.check("Active").await;
    let switched = holds_back(&browser).await;
    browser.press("Save webhook").await;
    browser.arrive(&page).await;

    assert_eq!((unchanged, switched), (false, true));
    assert!(!holds_back(&browser).await);
    assert!(!browser.says(QUESTION).await);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_refused_or_got_a_new_secret_still_asks() {
    let platform = Platform::new().await;
    let (browser, _) = open(&platform, "edit").await;

    browser.press("Generate New Secret").await;
    browser.see("New Webhook Secret").await;
    let generated = holds_back(&browser).await;
    browser.fill("Name", "").await;
    browser.press("Save webhook").await;
    browser.see("One field needs your attention").await;
    browser.press("Name").await;

    assert!(!browser.says(QUESTION).await, "the link stays on the page");
    assert!(generated && holds_back(&browser).await);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_form_of_the_page_throws_nothing_away() {
    let platform = Platform::new().await;
    let (browser, _) = open(&platform, "secret").await;

    browser.check("Use my own").await;
    browser.fill("Your secret", "whsec_half").await;
    browser.press("Show secret").await;
    browser.see(QUESTION).await;
    browser.press("Keep editing").await;
    let kept = browser.property("#secret", "value").await;
    browser.press("Show secret").await;
    browser.press("Leave without saving").await;
    browser.see("Hidden again when you leave this page.").await;

    assert_eq!(kept.as_deref(), Some("whsec_half"));
    assert!(!holds_back(&browser).await);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forms_of_the_settings_ask_too() {
    let platform = Platform::new().await;
    let (browser, _) = open(&platform, "edit").await;

    browser.open("/admin/settings/retry-policies/staging").await;
    let at_first = holds_back(&browser).await;
    browser.fill("Attempts", "3").await;
    browser.press("Cancel").await;
    browser.see(QUESTION).await;
    browser.press("Keep editing").await;
    let changed = holds_back(&browser).await;
    browser.press("Save policy").await;
    browser.see("is saved").await;

    assert_eq!((at_first, changed), (false, true));
    assert!(!holds_back(&browser).await);
    browser.end().await;
    platform.end().await;
}
