//! How a webhook wants to be served, and default retry policies.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{Answer, NOBODY, Platform, Receiver, Service, assert_fields, fields_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_shows_its_limits_order_and_retry_policy() {
    let platform = Platform::new().await;
    let limits = json!({"max_concurrency": 2, "rate_limit": 50, "ordering": "by_key",
        "ordering_key": "contract_id"});
    let policy = json!({"retry_policy": {"max_attempts": 3, "jitter": 0.5}});

    let webhook = platform.webhook("CRM").with(&limits).with(&policy);
    let webhook = webhook.create().await;
    let found = platform.get(&webhook.path).await;
    let list = platform.get("/api/v1/webhooks").await;

    assert_fields(&found, &limits);
    let completed = json!({"max_attempts": 3, "timeout_ms": 15_000});
    assert_fields(&found["retry_policy"], &completed);
    assert_eq!(found["circuit"]["state"], "closed");
    assert_eq!(list["data"][0]["retry_policy"], found["retry_policy"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_limit_order_and_policy_is_named() {
    let platform = Platform::new().await;
    let wrong = json!({
        "name": "CRM", "url": NOBODY, "environment": "production",
        "event_types": ["*"], "max_concurrency": 0, "rate_limit": "fast", "ordering": "by_name",
        "ordering_key": "", "retry_policy": {"jitter": 2, "patience": 1},
    });

    let (status, problem) = platform.post("/api/v1/webhooks", &wrong).await;

    assert_eq!(status, 422);
    assert_eq!(
        fields_of(&problem),
        [
            "max_concurrency",
            "rate_limit",
            "ordering",
            "ordering_key",
            "retry_policy.jitter",
            "retry_policy.patience"
        ]
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_webhook_gets_no_event_that_is_published_after_the_answer() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    let activate = format!("{}/activate", webhook.path);
    let deactivate = format!("{}/deactivate", webhook.path);

    platform.ask(Method::POST, &deactivate, None).await;
    platform.take_in(EventType::LicenseCreated).await;
    let owed = platform.world.database.deliveries().await;
    let (_, active) = platform.ask(Method::POST, &activate, None).await;
    platform.take_in(EventType::LicenseCreated).await;
    platform.deliveries_become("succeeded", 1).await;

    assert_eq!((owed, receiver.count()), (0, 1));
    assert_eq!(active["status"], "active");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_deactivation_changes_nothing() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let path = format!("{}/deactivate", webhook.path);

    let (_, first) = platform.ask(Method::POST, &path, None).await;
    let (_, second) = platform.ask(Method::POST, &path, None).await;

    assert_eq!(
        (&first["version"], &second["version"]),
        (&json!(2), &json!(2))
    );
    platform.end().await;
}

const POLICIES: &str = "/api/v1/retry-policies";
const OF_STAGING: &str = "/api/v1/retry-policies/staging";

/// Replaces a default retry policy by a policy of three attempts.
async fn put_policy(platform: &Platform, path: &str) -> (StatusCode, Value) {
    let policy = json!({"max_attempts": 3, "initial_interval_ms": 1_000, "multiplier": 2});
    platform
        .ask(Method::PUT, path, Some(policy.to_string()))
        .await
}

/// The default retry policy of staging.
async fn policy_of_staging(platform: &Platform) -> Value {
    let policies = platform.get(POLICIES).await;
    assert_eq!(policies["data"][1]["environment"], "staging");
    policies["data"][1].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_schedule_of_a_default_policy_and_saves_nothing() {
    let platform = Platform::new().await;

    let preview = format!("{OF_STAGING}?dry_run=true");
    let (_, preview) = put_policy(&platform, &preview).await;

    let schedule = json!({"schedule_ms": [1_000, 2_000], "total_ms": 3_000});
    assert_fields(&preview, &schedule);
    assert_ne!(policy_of_staging(&platform).await["max_attempts"], 3);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_policy_is_saved_for_an_environment_by_owners_only() {
    let mut platform = Platform::new().await;

    let (saved, _) = put_policy(&platform, OF_STAGING).await;
    let (nowhere, _) = put_policy(&platform, "/api/v1/retry-policies/moon").await;
    let after = policy_of_staging(&platform).await;
    platform.key = Service::new_key(&platform.world, "admin").await;
    let (refused, _) = put_policy(&platform, OF_STAGING).await;

    assert_eq!(after["max_attempts"], 3);
    let answers = [saved, nowhere, refused].map(|status| status.as_u16());
    assert_eq!(answers, [200, 404, 403]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_circuit_shows_in_the_api() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    for _ in 0..10 {
        platform
            .publish(Environment::Production, EventType::LicenseCreated)
            .await;
    }

    let open = async || {
        let webhook = platform.get(&webhook.path).await;
        (webhook["circuit"]["state"] == "open").then_some(webhook)
    };
    let webhook = platform.world.eventually("the circuit opens", open).await;

    assert!(webhook["failing_since"].is_string());
    assert!(webhook["circuit"]["open_until"].is_string());
    platform.end().await;
}
