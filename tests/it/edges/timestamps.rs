use reqwest::Method;
use serde_json::json;
use webhook_domain::EventType;
use webhook_tests::{Platform, Stranger, StrangersMessage, each};

use super::{platform, rejected};

/// Times for both ways in: RFC 3339 to the letter, lower case, a space, a leap second.
const TAKEN: [&str; 6] = [
    "2026-11-23T08:15:30.123456789Z",
    "2026-11-23t08:15:30z",
    "2026-11-23 08:15:30Z",
    "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
];

/// Times for neither way.
const REFUSED: [&str; 5] = [
    "9999-12-31T23:59:59-23:59",
    "0000-01-01T00:00:00+01:00",
    "2026-11-23T08:15:30",
    "2026-11-23",
    "1795508130",
];

fn body(timestamp: &str) -> String {
    let event_type = EventType::LicenseActivated;
    json!({"type": event_type.as_str(), "environment": "production", "timestamp": timestamp, "data": {}})
        .to_string()
}

fn with_id(timestamp: &str) -> String {
    let id = uuid::Uuid::now_v7();
    body(timestamp).replacen('{', &format!("{{\"id\":\"{id}\","), 1)
}

/// Posts each time without and with an id, and publishes the time over AMQP. Returns the statuses of
/// the posts.
async fn send_each(platform: &Platform, stranger: &Stranger, times: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for time in times {
        for body in [body(time), with_id(time)] {
            let answer = platform.ask(Method::POST, "/api/v1/events", Some(body));
            statuses.push(answer.await.0.as_u16());
        }
        let message = StrangersMessage::event(with_id(time));
        stranger.publish_all(&[message]).await;
    }
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_in_take_and_refuse_the_same_times_and_a_202_is_never_followed_by_a_rejection() {
    let (platform, receiver, stranger) = platform().await;

    let taken = send_each(&platform, &stranger, &TAKEN).await;
    let refused = send_each(&platform, &stranger, &REFUSED).await;

    assert_eq!(taken, [202; 2 * TAKEN.len()], "{TAKEN:?}");
    assert_eq!(refused, [422; 2 * REFUSED.len()], "{REFUSED:?}");
    let all = async || receiver.count() == 3 * TAKEN.len();
    platform.until("the events arrive", all).await;
    rejected(&platform, REFUSED.len()).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_any_accepted_time_is_read_back() {
    let (platform, receiver, stranger) = platform().await;
    send_each(&platform, &stranger, &TAKEN).await;
    let all = async || receiver.count() == 3 * TAKEN.len();
    platform.until("the events arrive", all).await;

    let events = platform.get("/api/v1/events?limit=100").await;

    let ids = each(&events["data"], "id");
    assert_eq!(ids.len(), 3 * TAKEN.len());
    for id in ids {
        platform.get(&format!("/api/v1/events/{id}")).await;
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_without_an_id_arrives_as_the_publisher_wrote_the_time() {
    let (platform, receiver, _) = platform().await;
    let given = "2026-11-23T10:15:30.123456+02:00";

    let answer = platform
        .ask(Method::POST, "/api/v1/events", Some(body(given)))
        .await;
    let arrived = async || receiver.received().pop();
    let world = &platform.world;
    let received = world.eventually("the event arrives", arrived).await;

    let sent: serde_json::Value = serde_json::from_slice(&received.body).expect("JSON");
    assert_eq!(sent["timestamp"], given);
    let path = format!("/api/v1/events/{}", answer.1["id"].as_str().expect("an id"));
    let event = platform.get(&path).await;
    assert_eq!(event["timestamp"], "2026-11-23T08:15:30.123456Z");
    platform.end().await;
}
