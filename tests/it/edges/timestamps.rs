use reqwest::Method;
use serde_json::json;
use webhook_domain::EventType;
use webhook_tests::StrangersMessage;

use super::{platform, rejected};

/// What both ways in take: RFC 3339 as it is written, lower case, a space, a leap second.
const TAKEN: [&str; 6] = [
    "2026-11-23T08:15:30.123456789Z",
    "2026-11-23t08:15:30z",
    "2026-11-23 08:15:30Z",
    "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
];

/// What neither takes.
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

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_in_take_and_refuse_the_same_times_and_a_202_is_never_followed_by_a_rejection() {
    let (platform, receiver, stranger) = platform().await;

    for (times, expected) in [(&TAKEN[..], 202), (&REFUSED, 422)] {
        for time in times {
            for body in [body(time), with_id(time)] {
                let answer = platform
                    .ask(Method::POST, "/api/v1/events", Some(body))
                    .await;
                assert_eq!(answer.0, expected, "{time}: {}", answer.1);
            }
            let message = StrangersMessage::event(with_id(time));
            stranger.publish_all(&[message]).await;
        }
    }

    let all = async || (receiver.count() == 3 * TAKEN.len()).then_some(());
    platform
        .world
        .eventually("what was taken arrives", all)
        .await;
    rejected(&platform, REFUSED.len()).await;
    let events = platform.get("/api/v1/events?limit=100").await;
    for event in events["data"].as_array().expect("a list") {
        let path = format!("/api/v1/events/{}", event["id"].as_str().expect("an id"));
        assert_eq!(platform.ask(Method::GET, &path, None).await.0, 200);
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_was_given_without_an_id_arrives_as_it_was_written() {
    let (platform, receiver, _) = platform().await;
    let given = "2026-11-23T10:15:30.123456+02:00";

    let answer = platform
        .ask(Method::POST, "/api/v1/events", Some(body(given)))
        .await;
    let arrived = async || receiver.received().pop();
    let received = platform.world.eventually("it arrives", arrived).await;

    let sent: serde_json::Value = serde_json::from_slice(&received.body).expect("JSON");
    assert_eq!(sent["timestamp"], given);
    let path = format!("/api/v1/events/{}", answer.1["id"].as_str().expect("an id"));
    let event = platform.get(&path).await;
    assert_eq!(event["timestamp"], "2026-11-23T08:15:30.123456Z");
    platform.end().await;
}
