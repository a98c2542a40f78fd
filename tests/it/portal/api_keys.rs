//! API keys created and revoked.

use reqwest::Method;
use webhook_tests::{Browser, Platform, length_of};

const KEYS: &str = "/admin/settings/api-keys";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_shown_only_once() {
    let platform = Platform::new().await;
    let browser = platform.browser().await;

    let key = make_key(&browser, "On call", "Viewer").await;
    browser.open(KEYS).await;

    browser.see("On call Viewer").await;
    assert!(!browser.says(&key).await);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_signs_its_holder_out() {
    let platform = Platform::new().await;
    let owner = platform.browser().await;
    let key = make_key(&owner, "On call", "Viewer").await;
    let holder = Browser::new(&platform.api).await;
    holder.sign_in(&key).await;

    owner.open(KEYS).await;
    owner.press("Revoke On call").await;
    owner
        .see("every browser signed in with it is signed out")
        .await;
    owner.press("Revoke key").await;
    owner.see("“On call” is revoked").await;
    holder.open("/admin/webhooks").await;

    let sign_in = "/admin/sign-in?next=%2Fadmin%2Fwebhooks";
    holder.arrive(sign_in).await;
    owner.end().await;
    holder.end().await;
    platform.end().await;
}

/// Creates a key, and returns the key.
async fn make_key(browser: &Browser, name: &str, role: &str) -> String {
    browser.open(KEYS).await;
    browser.fill("Name", name).await;
    browser.check(role).await;
    browser.press("Create key").await;
    browser.see("The API key is shown only now").await;
    browser.text("#key").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_role_is_refused_and_its_name_is_kept() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(KEYS).await;

    browser.fill("Name", "CI").await;
    browser.press("Create key").await;

    browser.see("One field needs your attention").await;
    assert_eq!(browser.text("#role-error").await, "Is required.");
    let typed = browser.property("#name", "value").await;
    assert_eq!(typed.as_deref(), Some("CI"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_key_of_an_owner_is_not_revoked() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(KEYS).await;

    browser.press("Revoke Created on the command line").await;
    browser.see("you are signed out at once").await;
    browser.press("Revoke key").await;

    browser
        .see("this is the last API key of an owner; create another key first")
        .await;
    let (status, _) = platform.ask(Method::GET, "/api/v1/session", None).await;
    assert_eq!(status, 200);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_form_that_is_sent_twice_creates_one_key() {
    let platform = Platform::new().await;
    let browser = platform.plain_browser().await;
    let key = make_key(&browser, "Licence service", "Publisher").await;

    browser.reload().await;

    browser.see("The API key is shown only now").await;
    assert_eq!(browser.text("#key").await, key);
    let keys = platform.get("/api/v1/api-keys").await;
    assert_eq!(length_of(&keys), 2);
    browser.end().await;
    platform.end().await;
}
