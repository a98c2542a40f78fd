//! Signing in with a key, and what is refused.

use webhook_tests::{Browser, Platform, Service};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_signs_in_and_leads_where_one_wanted_to_go() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser.open("/admin/webhooks?status=active").await;
    browser
        .arrive("/admin/sign-in?next=%2Fadmin%2Fwebhooks%3Fstatus%3Dactive")
        .await;

    browser.fill("API key", "whk_not-a-key").await;
    browser.press("Sign in").await;
    browser.see("That API key is not valid").await;
    browser.fill("API key", &platform.key).await;
    browser.press("Sign in").await;

    browser.arrive("/admin/webhooks?status=active").await;
    browser.press("Sign out").await;
    browser.arrive("/admin/sign-in").await;
    browser.open("/admin/webhooks").await;
    browser.see("Sign in").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publishers_key_sees_nothing() {
    let platform = Platform::new().await;
    let key = Service::new_key(&platform.world, "publisher").await;
    let browser = Browser::new(&platform.api).await;

    browser.open("/admin/sign-in").await;
    browser.fill("API key", &key).await;
    browser.press("Sign in").await;

    browser
        .see("This needs the role viewer; the API key has the role publisher")
        .await;
    browser.end().await;
    platform.end().await;
}
