//! A webhook's secret: shown when asked for, replaced with a grace period.

use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, Platform, Receiver, Service};

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_moves_and_its_new_secret_signs_beside_the_old_one() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    let page = path.replace("/api/v1", "/admin");
    let old = platform.get(&format!("{path}/secret")).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.open(&format!("{page}/edit")).await;
    browser.fill("Target URL", &receiver.url).await;
    browser.press("Save webhook").await;
    browser.arrive(&page).await;
    browser.open(&format!("{page}/secret")).await;
    browser.check("1 day (default)").await;
    browser.press("Generate New Secret").await;
    browser.see("The secret was replaced").await;
    let shown = browser.property("#secret-now", "value").await;
    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;

    let arrived = async || receiver.received().into_iter().next();
    let request = platform.world.eventually("it arrives", arrived).await;
    let signatures = request.headers["webhook-signature"].split(' ').count();
    assert_eq!(signatures, 2);
    let now = platform.get(&format!("{path}/secret")).await;
    assert_eq!(now["secret"].as_str(), shown.as_deref());
    assert_eq!(now["previous"][0]["secret"], old["secret"]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_when_asked_for_and_that_is_written_down() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    let read = async || {
        let log = "/api/v1/audit?action=webhook.secret_read";
        platform.get(log).await["data"].as_array().map(Vec::len)
    };

    browser
        .open(&format!("{}/secret", path.replace("/api/v1", "/admin")))
        .await;
    assert_eq!(
        (browser.count("#secret-now").await, read().await),
        (0, Some(0))
    );
    browser.press("Show secret").await;
    browser.press("Copy Webhook Secret").await;

    let secret = browser.property("#secret-now", "value").await;
    assert!(secret.is_some_and(|secret| secret.starts_with("whsec_")));
    assert_eq!(read().await, Some(1));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_secret_that_is_none_is_refused_in_place() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser
        .open(&format!("{}/secret", path.replace("/api/v1", "/admin")))
        .await;
    browser.check("Use my own").await;
    browser.check("0 (it leaked: stop using it now)").await;
    browser.fill("Your secret", "hunter2").await;
    browser.press("Generate New Secret").await;

    browser.see("Must start with whsec_").await;
    let chosen = browser
        .property("[name=grace_period]:checked", "value")
        .await;
    assert_eq!(chosen.as_deref(), Some("0"));
    let stored = platform.get(&format!("{path}/secret")).await;
    assert_eq!(stored["previous"], json!([]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_is_shown_none_of_these_pages() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    let viewer = Service::new_key(&platform.world, "viewer").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&viewer).await;

    for page in ["edit", "secret", "test", "delete"] {
        let page = format!("{}/{page}", path.replace("/api/v1", "/admin"));
        browser.open(&page).await;
        browser.see("Not allowed").await;
    }
    browser.open("/admin/webhooks/new").await;
    browser.see("Not allowed").await;
    browser.end().await;
    platform.end().await;
}
