//! Events listed and read: every filter, pages, bodies.

use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Platform, Receiver, event_with};

use crate::events::{create, each};

const PRODUCTION: Environment = Environment::Production;
const STAGING: Environment = Environment::Staging;

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_lists_what_it_names_and_events_that_nobody_wants_are_there() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    create(
        &platform,
        "CRM",
        "production",
        &["license.*"],
        &receiver.url,
    )
    .await;
    let mut ids = Vec::new();
    for (environment, event_type) in [
        (PRODUCTION, EventType::LicenseCreated),
        (PRODUCTION, EventType::ProductCreated),
        (STAGING, EventType::LicenseCreated),
    ] {
        let event = platform.publish(environment, event_type).await;
        platform.taken_in(event).await;
        ids.push(event.to_string());
    }
    let second = platform.get(&format!("/api/v1/events/{}", ids[1])).await;
    let at = second["received_at"].as_str().expect("a time");

    let (since, until) = (format!("since={at}"), format!("until={at}"));
    for (query, found) in [
        ("", vec![2, 1, 0]),
        ("matched=true", vec![0]),
        ("matched=false", vec![2, 1]),
        ("environment=production", vec![1, 0]),
        ("event_type=license.created", vec![2, 0]),
        (
            "event_type=license.created&matched=false&environment=staging",
            vec![2],
        ),
        ("event_type=contract.created", vec![]),
        (&since, vec![2, 1]),
        (&until, vec![0]),
    ] {
        let page = platform.get(&format!("/api/v1/events?{query}")).await;
        let found: Vec<&str> = found.into_iter().map(|i: usize| ids[i].as_str()).collect();
        assert_eq!(each(&page["data"], "id"), found, "{query}");
    }
    platform.end().await;
}

/// 600 events in all 126 groups: one of every second, ten at each moment, one type far more often.
const EVENTS: &str = include_str!("lists.sql");

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_events_leave_nothing_out_whatever_is_asked_for() {
    let platform = Platform::new().await;
    let types: Vec<_> = EventType::ALL.iter().map(|t| format!("'{t}'")).collect();
    let types = format!("(ARRAY[{}])", types.join(","));
    platform
        .world
        .database
        .execute(&EVENTS.replace("types", &types))
        .await;

    for (query, condition, limit) in [
        ("", "true", 200),
        ("", "true", 7),
        ("&matched=true", "matched", 50),
        (
            "&environment=staging&event_type=license.created",
            "environment = 'staging' AND event_type = 'license.created'",
            9,
        ),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/events?limit={limit}{query}{cursor}");
            let page = platform.get(&path).await;
            seen.extend(each(&page["data"], "id").into_iter().map(str::to_owned));
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        let all: Vec<String> = platform.world.database.ask(&format!(
            "SELECT array_agg(id::text ORDER BY received_at DESC, id DESC) FROM events WHERE {condition}"
        )).await;
        assert_eq!(seen, all, "{query}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_read_byte_for_byte_with_counts_of_its_deliveries() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    for name in ["one", "two"] {
        create(&platform, name, "production", &["*"], &receiver.url).await;
    }
    let data = r#"{ "big": 9007199254740993, "huge":1e400,  "twice":1,"twice":2, "text":"é \ud83d\ude00" }"#;
    let event = event_with(PRODUCTION, EventType::LicenseCreated, data);
    let body = String::from_utf8(event.body.to_vec()).expect("text");

    let ask = platform.request(reqwest::Method::POST, "/api/v1/events");
    let sent = ask
        .header("Content-Type", "application/json")
        .body(body.clone())
        .send();
    assert_eq!(sent.await.expect("an answer").status(), 202);

    let path = format!("/api/v1/events/{}", event.id);
    let delivered = async || {
        let (_, found) = platform.ask(reqwest::Method::GET, &path, None).await;
        (found["deliveries"]["succeeded"] == 2).then_some(found)
    };
    let found = platform
        .world
        .eventually("it is delivered", delivered)
        .await;
    assert_eq!(found["body"], body.as_str());
    assert_eq!(
        found["deliveries"],
        json!({"pending": 0, "succeeded": 2, "failed": 0, "cancelled": 0})
    );
    assert_eq!(
        (&found["matched"], &found["test_webhook_id"]),
        (&json!(true), &json!(null))
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_not_there_is_not_found() {
    let platform = Platform::new().await;

    for path in ["", "/explanation"] {
        for id in ["0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e", "no-id"] {
            let path = format!("/api/v1/events/{id}{path}");
            let (status, problem) = platform.ask(reqwest::Method::GET, &path, None).await;
            assert_eq!(
                (status.as_u16(), &problem["detail"]),
                (404, &json!("there is no such event"))
            );
        }
    }
    platform.end().await;
}
