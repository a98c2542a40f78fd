//! Signing in with a key.

use webhook_tests::{Browser, Platform, Service};

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_to_the_page_that_asked_for_a_key() {
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
async fn the_key_of_a_publisher_opens_no_page() {
    let platform = Platform::new().await;
    let key = Service::new_key(&platform.world, "publisher").await;
    let browser = Browser::new(&platform.api).await;

    browser.open("/admin/sign-in").await;
    browser.fill("API key", &key).await;
    browser.press("Sign in").await;

    browser
        .see("The operation needs the role viewer; the API key has the role publisher")
        .await;
    browser.end().await;
    platform.end().await;
}
