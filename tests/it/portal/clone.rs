//! A webhook cloned to another environment.

use serde_json::{Value, json};
use webhook_tests::{Platform, path_of};

/// Creates a webhook of production with a timeout and a header, and returns the response.
async fn create(platform: &Platform) -> Value {
    let webhook = json!({"name": "CRM", "url": "https://hooks.example.com/in", "timeout_ms": 5_000,
        "environment": "production", "event_types": ["license.*"], "headers": {"X-Team": "a"}});
    let (status, created) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(status, 201, "{created}");
    created
}

/// The settings of the only webhook of development, and its secret.
async fn read_clone(platform: &Platform) -> (Value, Value) {
    let list = platform
        .get("/api/v1/webhooks?environment=development")
        .await;
    let clone = list["data"][0].clone();
    let secret = platform.get(&format!("{}/secret", path_of(&clone))).await;
    (clone, secret["secret"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_cloned_inactive_and_with_a_secret_of_its_own() {
    let platform = Platform::new().await;
    let created = create(&platform).await;
    let browser = platform.browser().await;
    let page = path_of(&created).replace("/api/v1", "/admin");
    browser.open(&page).await;

    browser.press("Clone").await;
    browser.see("A copy of CRM (Production).").await;
    browser.check("Development").await;
    browser.fill("Value of header 1", "b").await;
    browser.press("Save webhook").await;
    browser.see("“CRM” is saved. Switch it to Active").await;

    let (clone, secret) = read_clone(&platform).await;
    assert_eq!(clone["status"], "inactive");
    for same in ["name", "url", "event_types", "timeout_ms", "header_names"] {
        assert_eq!(clone[same], created[same], "{same}");
    }
    assert_ne!(secret, created["secret"]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_values_of_headers_are_asked_for_again() {
    let platform = Platform::new().await;
    let created = create(&platform).await;
    let id = created["id"].as_str().expect("an id");
    let browser = platform.browser().await;
    browser
        .open(&format!("/admin/webhooks/new?from={id}"))
        .await;

    browser.see("type them again").await;
    browser.press("Save webhook").await;
    browser.see("One field needs your attention").await;

    browser.see("A copy of CRM (Production).").await;
    let told = browser.texts(".refused-fields li").await;
    assert!(told[0].starts_with("Header 1: Must have 1 to"), "{told:?}");
    browser.end().await;
    platform.end().await;
}
