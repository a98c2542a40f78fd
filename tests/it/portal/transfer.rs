//! The webhooks of an environment exported and imported on the page.

use serde_json::{Value, json};
use webhook_tests::{Browser, Platform};

const PAGE: &str = "/admin/webhooks/transfer";

/// The URL of the first webhook.
async fn url_of(platform: &Platform) -> Value {
    platform.get("/api/v1/webhooks").await["data"][0]["url"].clone()
}

/// An exported document with one webhook.
fn document(name: &str, url: &str) -> String {
    let webhook = json!({"name": name, "url": url, "event_types": ["license.*"]});
    json!({"environment": "production", "webhooks": [webhook]}).to_string()
}

/// Sends the form of an export from the page, and returns the file.
async fn export(browser: &Browser, secrets: bool) -> Value {
    let script = "const form = document.querySelector('form[action$=export]');
        const fields = new URLSearchParams(new FormData(form));
        if (arguments[0]) fields.set('secrets', 'true');
        return fetch(form.action, {method: 'POST', body: fields}).then((file) => file.json())
            .catch(() => null)";
    browser.run(script, vec![json!(secrets)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_shows_its_changes_before_it_makes_them() {
    let platform = Platform::new().await;
    platform.webhook_at("https://old.example.com/in").await;
    let browser = platform.plain_browser().await;
    let changed = document("Receiver", "https://new.example.com/in");

    browser.press("Export and import").await;
    browser.fill("Exported document", &changed).await;
    browser.press("Preview import").await;
    browser.see("Import 1 webhook into Production?").await;
    browser
        .see("https://old.example.com/in → becomes https://new.example.com/in")
        .await;
    let previewed = url_of(&platform).await;
    browser.press("Import 1 webhook").await;
    browser.see("1 webhook is changed.").await;

    let list = "/admin/webhooks?environment=production";
    assert_eq!(browser.path().await, list);
    assert_eq!(previewed, "https://old.example.com/in");
    assert_eq!(url_of(&platform).await, "https://new.example.com/in");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_document_is_told_and_nothing_is_lost() {
    let platform = Platform::new().await;
    let browser = platform.browser().await;
    browser.open(PAGE).await;
    let local = document("CRM", "https://10.0.0.1/");

    browser
        .choose("Environment to import into", "Staging")
        .await;
    for (typed, told) in [
        ("", "Choose a file, or paste an exported document."),
        ("{nothing", "This is no JSON document"),
        (&local, "Webhook 1 url: 10.0.0.1 is a private address."),
    ] {
        browser.fill("Exported document", typed).await;
        browser.press("Preview import").await;
        browser.see(told).await;
    }

    let kept = browser.property("#document", "value").await;
    assert_eq!(kept.as_deref(), Some(local.as_str()));
    let environment = browser.property("#import-environment", "value").await;
    assert_eq!(environment.as_deref(), Some("staging"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_imported_into_another_environment() {
    let platform = Platform::new().await;
    platform.webhook_at("https://hooks.example.com/in").await;
    let browser = platform.browser().await;
    browser.open(PAGE).await;

    let exported = export(&browser, false).await;
    let fill = "const text = document.getElementById('document'); text.value = arguments[0]";
    browser.run(fill, vec![json!(exported.to_string())]).await;
    browser
        .choose("Environment to import into", "Staging")
        .await;
    browser.press("Preview import").await;
    browser.press("Import 1 webhook").await;
    browser.see("1 webhook is created.").await;

    assert_eq!(exported["webhooks"][0].get("secret"), None);
    let list = platform.get("/api/v1/webhooks?environment=staging").await;
    assert_eq!(list["data"][0]["name"], "Receiver");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_owner_exports_secrets() {
    let platform = Platform::new().await;
    platform.webhook("CRM").create().await;
    let owner = platform.browser_at(PAGE).await;
    let admin = platform.browser_of("admin").await;
    admin.open(PAGE).await;

    let by_owner = export(&owner, true).await;
    admin.see("Only an owner can export Webhook Secrets").await;
    let by_admin = export(&admin, true).await;

    let secret = by_owner["webhooks"][0]["secret"].as_str();
    assert!(secret.is_some_and(|secret| secret.starts_with("whsec_")));
    assert_eq!(by_admin, Value::Null);
    owner.end().await;
    admin.end().await;
    platform.end().await;
}
