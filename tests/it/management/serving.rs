//! How a webhook wants to be served, and default retry policies.

use crate::management::fields;
use reqwest::Method;
use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Answer, Platform, Receiver, Service, event};

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_tells_how_it_wants_to_be_served() {
    let platform = Platform::new().await;
    let wanted = json!({
        "name": "CRM", "url": "http://127.0.0.1:9/", "environment": "production",
        "event_types": ["*"], "max_concurrency": 2, "rate_limit": 50, "ordering": "by_key",
        "ordering_key": "contract_id", "retry_policy": {"max_attempts": 3, "jitter": 0.5},
    });

    let (status, created) = platform.post("/api/v1/webhooks", &wanted).await;
    let path = format!(
        "/api/v1/webhooks/{}",
        created["id"].as_str().expect("an id")
    );
    let (_, found) = platform.ask(Method::GET, &path, None).await;
    let (_, list) = platform.ask(Method::GET, "/api/v1/webhooks", None).await;

    assert_eq!(status, 201, "{created}");
    for name in ["max_concurrency", "rate_limit", "ordering", "ordering_key"] {
        assert_eq!(found[name], wanted[name], "{name}");
    }
    assert_eq!(found["retry_policy"]["max_attempts"], 3);
    assert_eq!(found["retry_policy"]["timeout_ms"], 15_000);
    assert_eq!(found["circuit"]["state"], "closed");
    assert_eq!(list["data"][0]["retry_policy"], found["retry_policy"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_about_serving_is_named() {
    let platform = Platform::new().await;
    let wrong = json!({
        "name": "CRM", "url": "http://127.0.0.1:9/", "environment": "production",
        "event_types": ["*"], "max_concurrency": 0, "rate_limit": "fast", "ordering": "by_name",
        "ordering_key": "", "retry_policy": {"jitter": 2, "patience": 1},
    });

    let (status, problem) = platform.post("/api/v1/webhooks", &wrong).await;

    assert_eq!(status, 422);
    assert_eq!(
        fields(&problem),
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
async fn an_inactive_webhook_gets_nothing_that_is_published_after_the_answer() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let created = platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    let path = format!(
        "/api/v1/webhooks/{}",
        created["id"].as_str().expect("an id")
    );
    let publish = async || {
        let body = event(Environment::Production, EventType::LicenseCreated).body;
        let body = String::from_utf8(body.to_vec()).expect("text");
        let events = "/api/v1/events";
        let (status, _) = platform.ask(Method::POST, events, Some(body)).await;
        assert_eq!(status, 202);
    };

    let mut versions = Vec::new();
    for change in ["deactivate", "deactivate"] {
        let (_, webhook) = platform
            .ask(Method::POST, &format!("{path}/{change}"), None)
            .await;
        versions.push(webhook["version"].as_i64());
    }
    publish().await;
    let taken_in = async || {
        let events: i64 = platform.world.database.events().await;
        (events == 1).then_some(())
    };
    platform.world.eventually("it is taken in", taken_in).await;
    let owed: i64 = platform.world.database.deliveries().await;
    let (_, webhook) = platform
        .ask(Method::POST, &format!("{path}/activate"), None)
        .await;
    publish().await;
    let settled = async || (platform.count("succeeded").await == 1).then_some(());
    platform
        .world
        .eventually("the next one arrives", settled)
        .await;

    assert_eq!(versions, [Some(2), Some(2)], "the second changes nothing");
    assert_eq!((owed, receiver.count()), (0, 1));
    assert_eq!(webhook["status"], "active");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_policy_shows_its_schedule_before_it_is_saved() {
    let mut platform = Platform::new().await;
    let policy = json!({"max_attempts": 3, "initial_interval_ms": 1_000, "multiplier": 2});
    let path = "/api/v1/retry-policies/staging";

    let put = async |path: &str| {
        platform
            .ask(Method::PUT, path, Some(policy.to_string()))
            .await
    };
    let (_, preview) = put(&format!("{path}?dry_run=true")).await;
    let (_, before) = platform
        .ask(Method::GET, "/api/v1/retry-policies", None)
        .await;
    let (saved, _) = put(path).await;
    let (_, after) = platform
        .ask(Method::GET, "/api/v1/retry-policies", None)
        .await;
    let (nowhere, _) = put("/api/v1/retry-policies/moon").await;
    platform.key = Service::new_key(&platform.world, "admin").await;
    let (refused, _) = platform
        .ask(Method::PUT, path, Some(policy.to_string()))
        .await;

    assert_eq!(preview["schedule_ms"], json!([1_000, 2_000]));
    assert_eq!(preview["total_ms"], 3_000);
    assert_ne!(before["data"][1]["max_attempts"], 3);
    assert_eq!(after["data"][1]["environment"], "staging");
    assert_eq!(after["data"][1]["max_attempts"], 3);
    assert_eq!(
        (saved.as_u16(), nowhere.as_u16(), refused.as_u16()),
        (200, 404, 403)
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_circuit_shows_in_the_api() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let created = platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    let path = format!(
        "/api/v1/webhooks/{}",
        created["id"].as_str().expect("an id")
    );
    for _ in 0..10 {
        let body = event(Environment::Production, EventType::LicenseCreated).body;
        let body = String::from_utf8(body.to_vec()).expect("text");
        platform
            .ask(Method::POST, "/api/v1/events", Some(body))
            .await;
    }

    let open = async || {
        let (_, webhook) = platform.ask(Method::GET, &path, None).await;
        (webhook["circuit"]["state"] == "open").then_some(webhook)
    };
    let webhook = platform.world.eventually("the circuit opens", open).await;

    assert!(webhook["failing_since"].is_string());
    assert!(webhook["circuit"]["open_until"].is_string());
    platform.end().await;
}
