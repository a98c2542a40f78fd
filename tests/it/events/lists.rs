//! Events listed and read: every filter, pages, bodies.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{Platform, Receiver, UNKNOWN_ID, assert_fields, each_on, event_with, text_of};

use crate::events::each;

const PRODUCTION: Environment = Environment::Production;
const STAGING: Environment = Environment::Staging;

/// Takes in three events. A webhook wants the first event.
async fn three_events(platform: &Platform) -> Vec<EventId> {
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).types(&["license.*"]);
    webhook.create().await;
    let mut events = Vec::new();
    for (environment, event_type) in [
        (PRODUCTION, EventType::LicenseCreated),
        (PRODUCTION, EventType::ProductCreated),
        (STAGING, EventType::LicenseCreated),
    ] {
        let event = platform.publish(environment, event_type).await;
        platform.taken_in(event).await;
        events.push(event);
    }
    events
}

/// Asserts the events that a filter finds, by index.
async fn assert_lists(platform: &Platform, events: &[EventId], query: &str, found: &[usize]) {
    let page = platform.get(&format!("/api/v1/events?{query}")).await;
    let found: Vec<String> = found.iter().map(|i| events[*i].to_string()).collect();
    assert_eq!(each(&page["data"], "id"), found, "{query}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_lists_its_events_and_unwanted_events_are_listed_too() {
    let platform = Platform::new().await;
    let events = three_events(&platform).await;

    let staging_only = "event_type=license.created&matched=false&environment=staging";
    for (query, found) in [
        ("", &[2, 1, 0][..]),
        ("matched=true", &[0]),
        ("matched=false", &[2, 1]),
        ("environment=production", &[1, 0]),
        ("event_type=license.created", &[2, 0]),
        (staging_only, &[2]),
        ("event_type=contract.created", &[]),
    ] {
        assert_lists(&platform, &events, query, found).await;
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_since_a_time_and_until_before_a_time() {
    let platform = Platform::new().await;
    let events = three_events(&platform).await;
    let second = platform.get(&format!("/api/v1/events/{}", events[1])).await;
    let at = second["received_at"].as_str().expect("a time");

    assert_lists(&platform, &events, &format!("since={at}"), &[2, 1]).await;
    assert_lists(&platform, &events, &format!("until={at}"), &[0]).await;
    platform.end().await;
}

/// 600 events in all 126 groups, ten at each second, half of a single type.
const EVENTS: &str = include_str!("lists.sql");

/// Writes the [`EVENTS`].
async fn write_events(platform: &Platform) {
    let types: Vec<_> = EventType::ALL.iter().map(|t| format!("'{t}'")).collect();
    let types = format!("(ARRAY[{}])", types.join(","));
    let sql = EVENTS.replace("types", &types);
    platform.world.database.execute(&sql).await;
}

/// The ids in the database of the events under an SQL condition, newest first.
async fn stored(platform: &Platform, condition: &str) -> Vec<String> {
    let sql = format!(
        "SELECT array_agg(id::text ORDER BY received_at DESC, id DESC) FROM events WHERE {condition}"
    );
    platform.world.database.ask(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_events_leave_nothing_out_and_repeat_nothing() {
    let platform = Platform::new().await;
    write_events(&platform).await;

    for (query, condition) in [
        ("limit=200", "true"),
        ("limit=7", "true"),
        ("limit=50&matched=true", "matched"),
        (
            "limit=9&environment=staging&event_type=license.created",
            "environment = 'staging' AND event_type = 'license.created'",
        ),
    ] {
        let pages = platform.pages(&format!("/api/v1/events?{query}")).await;
        let stored = stored(&platform, condition).await;
        assert_eq!(each_on(&pages, "id"), stored, "{query}");
    }
    platform.end().await;
}

/// Waits until `count` deliveries of an event have succeeded, and reads the event.
async fn delivered(platform: &Platform, event: EventId, count: u32) -> Value {
    let path = format!("/api/v1/events/{event}");
    let delivered = async || {
        let (_, found) = platform.ask(Method::GET, &path, None).await;
        (found["deliveries"]["succeeded"] == count).then_some(found)
    };
    let what = format!("{count} deliveries of {event} succeed");
    platform.world.eventually(&what, delivered).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_read_byte_for_byte_with_counts_of_its_deliveries() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;
    platform.webhook_to(&receiver).create().await;
    let data = r#"{ "big": 9007199254740993, "huge":1e400,  "twice":1,"twice":2, "text":"é \ud83d\ude00" }"#;
    let event = event_with(PRODUCTION, EventType::LicenseCreated, data);

    platform.publish_event(&event).await;
    let found = delivered(&platform, event.id, 2).await;

    let counts = json!({"pending": 0, "succeeded": 2, "failed": 0, "cancelled": 0});
    assert_fields(
        &found,
        &json!({"body": text_of(&event), "deliveries": counts, "matched": true,
            "test_webhook_id": null}),
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_event_is_not_found() {
    let platform = Platform::new().await;

    for path in ["", "/explanation"] {
        for id in [UNKNOWN_ID, "no-id"] {
            let path = format!("/api/v1/events/{id}{path}");
            let (status, problem) = platform.ask(Method::GET, &path, None).await;
            assert_eq!(status, 404);
            assert_eq!(problem["detail"], "there is no such event");
        }
    }
    platform.end().await;
}
