//! The diagnosis: why a webhook gets no events, with advice.

use reqwest::Method;
use serde_json::Value;
use webhook_domain::EventType;
use webhook_tests::{CreatedWebhook, Platform, Receiver, UNKNOWN_ID};

use crate::deliveries::{comes_to, each};

async fn diagnose(platform: &Platform, webhook: &CreatedWebhook) -> Value {
    let path = format!("{}/diagnosis", webhook.path);
    platform.get(&path).await["findings"].clone()
}

/// Asserts a diagnosis of a single problem: its check and a part of the advice.
async fn assert_one_problem(
    platform: &Platform,
    webhook: &CreatedWebhook,
    check: &str,
    advice: &str,
) {
    let findings = diagnose(platform, webhook).await;
    let all = findings.as_array().expect("findings").iter();
    let problems: Vec<_> = all.filter(|f| f["severity"] == "problem").collect();
    assert_eq!(problems.len(), 1, "{findings}");
    assert_eq!(problems[0]["check"], check);
    let told = problems[0]["advice"].as_str().expect("advice");
    assert!(told.contains(advice), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_webhook_has_no_problem() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    platform.take_in(EventType::LicenseCreated).await;
    comes_to(&platform, &webhook, "succeeded").await;

    let findings = diagnose(&platform, &webhook).await;

    assert_eq!(
        each(&findings, "check"),
        [
            "status",
            "subscriptions",
            "backlog",
            "answers",
            "url",
            "format",
            "rejected_messages",
            "dispatchers"
        ]
    );
    assert_eq!(each(&findings, "severity"), ["ok"; 8], "{findings}");
    assert_eq!(receiver.count(), 1, "the diagnosis sends no request");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cause_that_keeps_events_away_is_found_with_advice() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let inactive = platform.webhook("Inactive").at(&receiver.url).inactive();
    let inactive = inactive.create().await;
    let closed = platform.webhook("Closed").types(&["contract.*"]);
    let closed = closed.create().await;
    let staging = platform.webhook("Staging").at(&receiver.url);
    let staging = staging.environment("staging").create().await;
    platform.take_in(EventType::LicenseCreated).await;

    for (webhook, check, advice) in [
        (
            inactive,
            "status",
            "Activate the webhook, then replay the missed events",
        ),
        (closed, "url", "listens on the URL's port"),
        (staging, "subscriptions", "meant for the other environment"),
    ] {
        assert_one_problem(&platform, &webhook, check, advice).await;
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_receiver_is_found_with_advice() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[401]).await;
    let webhook = platform.webhook_to(&receiver).patient().create().await;
    platform.take_in(EventType::LicenseCreated).await;
    comes_to(&platform, &webhook, "retrying").await;

    assert_one_problem(&platform, &webhook, "answers", "check the secret").await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_webhook_has_no_diagnosis() {
    let platform = Platform::new().await;

    for id in [UNKNOWN_ID, "no-id"] {
        let path = format!("/api/v1/webhooks/{id}/diagnosis");
        assert_eq!(platform.ask(Method::GET, &path, None).await.0, 404);
    }
    platform.end().await;
}
