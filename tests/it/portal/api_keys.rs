//! API keys are made and revoked.

use reqwest::Method;
use webhook_tests::{Browser, Platform};

const KEYS: &str = "/admin/settings/api-keys";

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_signs_in_until_it_is_revoked() {
    let platform = Platform::new().await;
    let (owner, holder) = (
        Browser::new(&platform.api).await,
        Browser::new(&platform.api).await,
    );
    owner.sign_in(&platform.key).await;
    let key = make_key(&owner, "On call", "Viewer").await;

    owner.open(KEYS).await;
    owner.see("On call Viewer").await;
    assert!(!owner.says(&key).await);
    holder.sign_in(&key).await;
    owner.press("Revoke On call").await;
    owner
        .see("every browser signed in with it is signed out")
        .await;
    owner.press("Revoke key").await;
    owner.see("“On call” is revoked").await;
    holder.open("/admin/webhooks").await;

    holder
        .arrive("/admin/sign-in?next=%2Fadmin%2Fwebhooks")
        .await;
    owner.end().await;
    holder.end().await;
    platform.end().await;
}

/// Makes a key, and tells it.
async fn make_key(browser: &Browser, name: &str, role: &str) -> String {
    browser.open(KEYS).await;
    browser.fill("Name", name).await;
    browser.check(role).await;
    browser.press("Create key").await;
    browser.see("The API key is shown only now").await;
    browser.text("#key").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_role_is_refused_and_the_last_owners_key_stays() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open(KEYS).await;

    browser.fill("Name", "CI").await;
    browser.press("Create key").await;
    browser.see("One field needs your attention").await;
    assert_eq!(browser.text("#role-error").await, "Is required.");
    let typed = browser.property("#name", "value").await;
    assert_eq!(typed.as_deref(), Some("CI"));
    browser.press("Revoke made on the command line").await;
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
async fn without_scripts_a_form_that_is_sent_again_makes_no_other_key() {
    let platform = Platform::new().await;
    let browser = Browser::without_scripts(&platform.api).await;
    browser.sign_in(&platform.key).await;
    let key = make_key(&browser, "Licence service", "Publisher").await;

    browser.reload().await;

    browser.see("The API key is shown only now").await;
    assert_eq!(browser.text("#key").await, key);
    let keys = platform.get("/api/v1/api-keys").await;
    assert_eq!(keys["data"].as_array().map(Vec::len), Some(2));
    browser.end().await;
    platform.end().await;
}
