//! Why a webhook gets nothing, found out by the platform.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::EventType;
use webhook_tests::{Platform, Receiver};

use crate::deliveries::{NOBODY, UNKNOWN, comes_to, create, each, publish};

async fn diagnose(platform: &Platform, webhook: &str) -> Value {
    let path = format!("/api/v1/webhooks/{webhook}/diagnosis");
    platform.get(&path).await["findings"].clone()
}

/// The problems among findings: what was looked at, and what to do.
fn problems(findings: &Value) -> Vec<(&str, &str)> {
    let findings = findings.as_array().expect("findings").iter();
    let problems = findings.filter(|finding| finding["severity"] == "problem");
    let told = problems.map(|finding| (finding["check"].as_str(), finding["advice"].as_str()));
    told.map(|(check, advice)| (check.expect("a check"), advice.expect("advice")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_webhook_has_no_problem() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &json!({})).await;
    publish(&platform, EventType::LicenseCreated).await;
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
            "rejected_messages"
        ]
    );
    assert_eq!(each(&findings, "severity"), ["ok"; 6], "{findings}");
    assert_eq!(receiver.count(), 1, "nobody was asked for it");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_keeps_events_away_is_found_with_advice() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let off = json!({"status": "inactive"});
    let inactive = create(&platform, "Inactive", &receiver.url, &off).await;
    let closed = create(
        &platform,
        "Closed",
        NOBODY,
        &json!({"event_types": ["contract.*"]}),
    )
    .await;
    let staging = json!({"environment": "staging"});
    let elsewhere = create(&platform, "Elsewhere", &receiver.url, &staging).await;
    publish(&platform, EventType::LicenseCreated).await;

    for (webhook, check, advice) in [
        (
            inactive,
            "status",
            "Activate the webhook, then replay the missed events",
        ),
        (closed, "url", "listens on the URL's port"),
        (
            elsewhere,
            "subscriptions",
            "meant for the other environment",
        ),
    ] {
        let findings = diagnose(&platform, &webhook).await;
        let found = problems(&findings);
        assert_eq!(found.len(), 1, "{findings}");
        assert_eq!(found[0].0, check);
        assert!(found[0].1.contains(advice), "{}", found[0].1);
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_a_failure_is_found_with_advice() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[401]).await;
    let webhook = create(
        &platform,
        "CRM",
        &receiver.url,
        &crate::deliveries::patient(),
    )
    .await;
    publish(&platform, EventType::LicenseCreated).await;
    comes_to(&platform, &webhook, "retrying").await;

    let findings = diagnose(&platform, &webhook).await;

    let found = problems(&findings);
    assert_eq!(found.len(), 1, "{findings}");
    assert_eq!(found[0].0, "answers");
    assert!(found[0].1.contains("check the secret"), "{}", found[0].1);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_not_there_has_no_diagnosis() {
    let platform = Platform::new().await;

    for id in [UNKNOWN, "no-id"] {
        let path = format!("/api/v1/webhooks/{id}/diagnosis");
        assert_eq!(platform.ask(Method::GET, &path, None).await.0, 404);
    }
    platform.end().await;
}
