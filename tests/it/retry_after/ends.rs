//! The end of a hold by an admin.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{Platform, Receiver, events};

use crate::retry_after::{delivered, is_held, limited, publish_one, publish_over, webhook};

/// A platform with a webhook whose receiver asked for a pause of an hour after the first request and
/// accepts all other requests, and with ten waiting deliveries.
async fn held_for_an_hour() -> (Platform, Receiver, String) {
    let platform = Platform::new().await;
    let header = "retry-after: 3600".to_owned();
    let receiver = limited(&[0], 429, header, Duration::ZERO).await;
    let path = webhook(&platform, &receiver.url, 1).await;
    publish_one(&platform).await;
    is_held(&platform, &path).await;
    publish_over(&platform, &events(10), Duration::from_millis(100)).await;
    let waiting = async || platform.count("pending").await == 11;
    platform.until("the deliveries wait", waiting).await;
    (platform, receiver, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_a_hold_and_an_accepted_test_event_ends_the_hold() {
    let (platform, receiver, path) = held_for_an_hour().await;
    let until = is_held(&platform, &path).await;

    let diagnosis = platform.get(&format!("{path}/diagnosis")).await;
    let before = receiver.count();
    let test = json!({"event_type": "license.activated"});
    let (_, sent) = platform.post(&format!("{path}/test?wait=10s"), &test).await;
    // Ten deliveries and the test event. The delivery with the answer 429 waits for the hour.
    delivered(&platform, 11).await;

    let status = &diagnosis["findings"][0];
    let told = status["message"].as_str().expect("a sentence");
    let until = until.format("until %Y-%m-%d %H:%M:%S UTC").to_string();
    assert!(told.contains(&until), "{told}");
    assert_eq!(status["check"], "status");
    assert_eq!(status["severity"], "problem");
    assert_eq!(before, 1, "no request during the hold");
    assert_eq!(sent["delivery"]["status"], "succeeded", "{sent}");
    assert_eq!(platform.get(&path).await["held_until"], Value::Null);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_by_an_admin_ends_a_hold() {
    let (platform, ..) = held_for_an_hour().await;
    let held = platform.get("/api/v1/deliveries?status=retrying").await;
    let id = held["data"][0]["id"].as_str().expect("an id");

    let retry = format!("/api/v1/deliveries/{id}/retry");
    let (status, answer) = platform.ask(Method::POST, &retry, None).await;

    assert_eq!(status, 202, "{answer}");
    delivered(&platform, 11).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_rate_limit_ends_a_hold_and_another_name_does_not() {
    let (platform, _, path) = held_for_an_hour().await;

    let (_, renamed) = platform.patch(&path, &json!({"name": "Another"})).await;
    let (_, slower) = platform.patch(&path, &json!({"rate_limit": 100})).await;

    assert!(renamed["held_until"].is_string(), "{renamed}");
    assert_eq!(slower["held_until"], Value::Null);
    delivered(&platform, 10).await;
    platform.end().await;
}
