//! A new Webhook Secret in the form of a webhook, in the order of the guide.

use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, Platform, Receiver};

/// Creates a webhook with a closed port as its URL, and returns its path of the API and its page.
async fn create(platform: &Platform) -> (String, String) {
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    let page = path.replace("/api/v1", "/admin");
    (path, page)
}

/// The secrets of a webhook.
async fn secrets_of(platform: &Platform, path: &str) -> Value {
    platform.get(&format!("{path}/secret")).await
}

/// The new secret in the form.
async fn shown(browser: &Browser) -> String {
    let secret = browser.property("#new_secret", "value").await;
    secret.expect("the field has a value")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_updated_in_the_order_of_the_guide() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let (path, page) = create(&platform).await;
    let browser = platform.browser().await;

    browser.fill("Search", "Receiver").await;
    browser.press("Edit Receiver").await;
    browser.fill("Target URL", &receiver.url).await;
    browser.press("Generate New Secret").await;
    browser.see("New Webhook Secret").await;
    let url = browser.property("#url", "value").await;
    let secret = shown(&browser).await;
    browser.press("Save webhook").await;
    browser.arrive(&format!("{page}/test")).await;
    browser.press("Send test event").await;
    browser.see("The receiver answered 200").await;

    assert_eq!(url.as_deref(), Some(receiver.url.as_str()));
    assert_eq!(secrets_of(&platform, &path).await["secret"], secret);
    let signatures = &receiver.received()[0].headers["webhook-signature"];
    assert_eq!(signatures.split(' ').count(), 2, "the old secret signs too");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_typed_is_lost_without_scripts_either() {
    let platform = Platform::new().await;
    let (path, page) = create(&platform).await;
    let old = secrets_of(&platform, &path).await;
    let browser = platform.plain_browser().await;
    browser.open(&format!("{page}/edit")).await;

    browser.fill("Name", "Moved").await;
    browser.press("Generate New Secret").await;
    let unsaved = secrets_of(&platform, &path).await;
    let secret = shown(&browser).await;
    browser.press("Save webhook").await;
    browser
        .see("“Moved” is saved. The new Webhook Secret signs requests")
        .await;

    assert_eq!(
        unsaved, old,
        "the secret is replaced when the form is saved"
    );
    let now = secrets_of(&platform, &path).await;
    assert_eq!(now["secret"], secret);
    assert_eq!(now["previous"][0]["secret"], old["secret"]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_secret_may_be_kept_after_all() {
    let platform = Platform::new().await;
    let (path, page) = create(&platform).await;
    let old = secrets_of(&platform, &path).await;
    let browser = platform.browser().await;
    browser.open(&format!("{page}/edit")).await;

    browser.fill("Name", "Kept").await;
    browser.press("Generate New Secret").await;
    browser.press("Keep the current secret").await;
    browser
        .see("The current secret stays until you save.")
        .await;
    browser.press("Save webhook").await;
    browser.see("“Kept” is saved.").await;

    assert_eq!(secrets_of(&platform, &path).await, old);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_secret_ends_at_once_after_a_question() {
    let platform = Platform::new().await;
    let (path, page) = create(&platform).await;
    let browser = platform.browser().await;
    browser.open(&format!("{page}/edit")).await;

    browser.press("Generate New Secret").await;
    browser.check("0 (it leaked: stop using it now)").await;
    let secret = shown(&browser).await;
    browser.press("Save webhook").await;
    browser.see("Stop using the old Webhook Secret now?").await;
    let asked = secrets_of(&platform, &path).await;
    browser.press("Save and stop using the old secret").await;
    browser.see("The new Webhook Secret signs requests").await;

    assert_ne!(asked["secret"], secret);
    let now = secrets_of(&platform, &path).await;
    assert_eq!(
        (&now["secret"], &now["previous"]),
        (&json!(secret), &json!([]))
    );
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_secret_asks_before_the_old_one_ends() {
    let platform = Platform::new().await;
    let (path, page) = create(&platform).await;
    let old = secrets_of(&platform, &path).await;
    let browser = platform.plain_browser().await;
    browser.open(&format!("{page}/secret")).await;

    browser.check("0 (it leaked: stop using it now)").await;
    browser.press("Generate New Secret").await;
    browser.see("Stop using the old Webhook Secret now?").await;
    let asked = secrets_of(&platform, &path).await;
    browser
        .press("Generate New Secret and stop using the old one")
        .await;
    browser.see("the old secret is invalid already").await;

    assert_eq!(asked, old);
    let now = secrets_of(&platform, &path).await;
    assert_ne!(now["secret"], old["secret"]);
    assert_eq!(now["previous"], json!([]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_secret_that_is_none_is_refused_with_the_rest_of_the_form() {
    let platform = Platform::new().await;
    let (path, page) = create(&platform).await;
    let old = secrets_of(&platform, &path).await;
    let browser = platform.browser().await;
    browser.open(&format!("{page}/edit")).await;

    browser.press("Generate New Secret").await;
    browser.fill("New Webhook Secret", "whsec_short").await;
    browser.fill("Name", "").await;
    browser.press("Save webhook").await;
    browser.see("2 fields need your attention").await;

    let told = browser.texts(".refused-fields li").await;
    assert_eq!(told[0], "Name: Enter a name.");
    let expected =
        "New Webhook Secret: After whsec_, put 24 to 64 bytes in base64, for example from";
    assert!(told[1].starts_with(expected), "{told:?}");
    assert_eq!(shown(&browser).await, "whsec_short");
    assert_eq!(secrets_of(&platform, &path).await, old);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_keeps_the_old_secret() {
    let platform = Platform::new().await;
    let (path, page) = create(&platform).await;
    let browser = platform.browser().await;
    browser.open(&format!("{page}/edit")).await;

    browser.press("Generate New Secret").await;
    let secret = shown(&browser).await;
    platform.patch(&path, &json!({"name": "Theirs"})).await;
    browser.press("Save webhook").await;
    browser.see("Somebody changed this webhook").await;
    let refused = secrets_of(&platform, &path).await;
    browser.press("Save anyway").await;
    browser.arrive(&page).await;
    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;

    assert_ne!(refused["secret"], secret);
    assert_eq!(secrets_of(&platform, &path).await["secret"], secret);
    browser.end().await;
    platform.end().await;
}
