//! The documentation of the API at `/api/docs/`, as an integrator finds it from the portal.

use serde_json::Value;
use webhook_tests::{Browser, Platform, Service};

use super::accessibility::{axe, violations};

/// The hosts of the page's files other than the page's own host.
const HOSTS: &str = "
    const hosts = performance.getEntriesByType('resource').map(file => new URL(file.name).host);
    return [...new Set(hosts)].filter(host => host !== location.host)";

/// The names of the tags, in the order of the page.
const TAGS: &str =
    "return [...document.querySelectorAll('.opblock-tag')].map(tag => tag.dataset.tag)";

/// Texts of the introduction, of the operations and of the requests to endpoints.
const PARTS: [&str; 5] = [
    "Get an API key",
    "First steps",
    "Verify signatures",
    "Creates a webhook",
    "Requests that your endpoint receives",
];

/// Opens an operation by its id.
const UNFOLD: &str = "
    document.querySelector(`[id$='-${arguments[0]}'] .opblock-summary-control`).click()";

async fn texts(browser: &Browser, script: &str) -> Vec<String> {
    let found = browser.run(script, vec![]).await;
    let found = found.as_array().expect("a list").iter();
    found
        .filter_map(Value::as_str)
        .map(ToOwned::to_owned)
        .collect()
}

/// A browser that came from `/api` to the documentation and sees all its parts.
async fn browser_at_docs(platform: &Platform) -> Browser {
    let browser = Browser::new(&platform.api).await;
    browser.open("/api").await;
    browser.arrive("/api/docs/").await;
    for part in PARTS {
        browser.see(part).await;
    }
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_leads_to_docs_with_an_introduction_and_a_title() {
    let platform = Platform::new().await;

    let browser = browser_at_docs(&platform).await;

    let title = browser.run("return document.title", vec![]).await;
    assert_eq!(title, "API docs · Webhooks");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_docs_list_operations_in_the_order_of_use() {
    let platform = Platform::new().await;
    let browser = browser_at_docs(&platform).await;

    let tags = texts(&browser, TAGS).await;

    assert_eq!(
        tags[..4],
        ["Webhooks", "Deliveries", "Events", "Event types"]
    );
    assert_eq!(tags[tags.len() - 2..], ["Session", "Health"]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_docs_load_no_file_from_another_host() {
    let platform = Platform::new().await;
    let browser = browser_at_docs(&platform).await;

    let hosts = texts(&browser, HOSTS).await;

    assert_eq!(hosts, Vec::<String>::new());
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_docs_lead_to_the_portal_and_offer_no_other_document() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser
        .sign_in(&Service::new_key(&platform.world, "viewer").await)
        .await;
    browser.open("/api/docs/").await;
    browser.see("Creates a webhook").await;

    assert_eq!(browser.count("input.download-url-input").await, 0);
    browser.press("Portal").await;

    browser.arrive("/admin/webhooks").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_the_portal_is_enough_to_try_a_request_out() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser
        .sign_in(&Service::new_key(&platform.world, "viewer").await)
        .await;
    browser.open("/api/docs/").await;
    browser
        .see("Tells the name and the role of the caller")
        .await;

    browser.run(UNFOLD, vec!["show_session".into()]).await;
    browser.see("Try it out").await;
    browser.press("Try it out").await;
    browser.see("Execute").await;
    browser.press("Execute").await;

    browser.see("Server response Code Details 200").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_docs_have_no_violation_in_either_theme_and_fit_a_phone() {
    let axe = axe();
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser.open("/api/docs/").await;
    browser.see("Creates a webhook").await;

    browser.run(UNFOLD, vec!["create_webhook".into()]).await;
    browser.see("Keeps the CRM up to date").await;

    let wrong = violations(&browser, axe).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.end().await;
    platform.end().await;
}
