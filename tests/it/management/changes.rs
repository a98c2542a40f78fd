//! Webhooks replaced and patched.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{
    Answer, CreatedWebhook, NOBODY, Platform, Receiver, Service, assert_fields, fields_of,
};

async fn patch_if(
    platform: &Platform,
    webhook: &CreatedWebhook,
    etag: &str,
    name: &str,
) -> (u16, Value) {
    let request = platform.request(Method::PATCH, &webhook.path);
    let request = request
        .header("If-Match", etag)
        .json(&json!({"name": name}));
    let response = request.send().await.expect("the API answers");
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

/// Creates a webhook of staging with every kind of setting.
async fn create_with_all_settings(platform: &Platform) -> CreatedWebhook {
    let webhook = platform.webhook("CRM").environment("staging");
    let settings = json!({"event_types": ["license.*"], "headers": {"X-Tenant": "42"},
        "metadata": {"team": "a"}, "timeout_ms": 500, "rate_limit": 5, "description": "first"});
    webhook.with(&settings).create().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_changes_the_fields_it_names_and_no_others() {
    let platform = Platform::new().await;
    let webhook = create_with_all_settings(&platform).await;

    let change = json!({"rate_limit": null, "metadata": {"tier": "gold"},
        "headers": {"X-More": "1"}});
    let patched = platform.change(&webhook, &change).await;

    assert_fields(
        &patched,
        &json!({"header_names": ["x-more", "x-tenant"],
            "metadata": {"team": "a", "tier": "gold"}, "rate_limit": null, "timeout_ms": 500,
            "description": "first", "version": 2}),
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_resets_the_fields_that_it_leaves_out() {
    let platform = Platform::new().await;
    let webhook = create_with_all_settings(&platform).await;

    let replacement = json!({"name": "ERP", "url": NOBODY, "environment": "production",
        "event_types": ["contract.created"]});
    let put = platform.ask(Method::PUT, &webhook.path, Some(replacement.to_string()));
    let (status, replaced) = put.await;

    assert_eq!(status, 200);
    assert_fields(
        &replaced,
        &json!({"header_names": [], "metadata": {}, "description": "", "timeout_ms": null,
            "environment": "production", "version": 2}),
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_one_version_cannot_both_win() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;

    let (one, two) = tokio::join!(
        patch_if(&platform, &webhook, "\"1\"", "one"),
        patch_if(&platform, &webhook, "\"1\"", "two")
    );
    let (won, lost) = if one.0 == 200 { (one, two) } else { (two, one) };
    let after = platform.get(&webhook.path).await;
    let (again, _) = patch_if(&platform, &webhook, "\"2\"", "third").await;

    assert_eq!((won.0, lost.0, again), (200, 412, 200));
    assert_eq!(lost.1["current_version"], 2);
    assert_eq!(after["name"], won.1["name"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_from_the_next_request_on() {
    let platform = Platform::new().await;
    let old = Receiver::answering(&[]).await;
    let new = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&old).create().await;

    platform.next_request(&old).await;
    let change = json!({"url": new.url, "headers": {"Authorization": "Bearer 42"}});
    platform.change(&webhook, &change).await;
    let request = platform.next_request(&new).await;

    assert_eq!(old.count(), 1);
    assert_eq!(request.headers["authorization"], "Bearer 42");
    let shown = platform.get(&webhook.path).await;
    assert_eq!(shown["header_names"], json!(["authorization"]));
    assert!(!shown.to_string().contains("Bearer 42"));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_deliveries_go_to_the_changed_url() {
    let mut platform = Platform::new().await;
    // Leases as in production outlast the hanging attempt, during which the dispatcher sees the
    // change.
    let patient = Service::patient_dispatcher(&platform.world);
    platform.replace_dispatcher(patient).await;
    let hanging = Receiver::deciding(|_, _| Answer::Hang).await;
    let new = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&hanging).create().await;
    let slow = json!({"max_concurrency": 1, "timeout_ms": 6_000});
    platform.change(&webhook, &slow).await;

    for _ in 0..3 {
        platform
            .publish(Environment::Production, EventType::LicenseCreated)
            .await;
    }
    hanging.arrived(1).await;
    platform.change(&webhook, &json!({"url": new.url})).await;
    new.arrived(3).await;

    assert_eq!(hanging.count(), 1);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeout_of_a_webhook_overrides_the_timeout_of_its_environment() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::After(Duration::from_secs(60))).await;
    let hurried = json!({"timeout_ms": 100});
    let webhook = platform.webhook_to(&receiver).with(&hurried);
    let webhook = webhook.create().await;

    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    let last = async || {
        let last = platform.get(&webhook.path).await["last_delivery"].clone();
        last.is_object().then_some(last)
    };
    let last = platform.world.eventually("an attempt ends", last).await;

    let duration = "SELECT min(duration_ms) FROM attempts";
    let duration: i32 = platform.world.database.ask(duration).await;
    assert_eq!(last["failure_class"], "timeout");
    // The timeout of the environment is 2 s.
    assert!((100..1_500).contains(&duration), "{duration}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_url_is_refused_with_the_field() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;

    for url in [
        "http://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://user:pw@example.com/",
        "https://example.com/#top",
        "ftp://example.com/",
        "/relative",
    ] {
        let (status, problem) = platform.patch(&webhook.path, &json!({"url": url})).await;
        assert_eq!(status, 422, "{url}");
        assert_eq!(fields_of(&problem), ["url"], "{url}");
    }
    platform.end().await;
}
