//! Answers 429 without an end: spared by the retry policy at first, failures later.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use webhook_domain::RetryPolicy;
use webhook_tests::{Answer, Platform, Receiver};

use crate::retry_after::{arrived, publish_one, spent};

/// Three attempts with growing pauses.
fn growing_pauses() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 3,
        initial_interval: Duration::from_millis(300),
        multiplier: 4.0,
        jitter: 0.0,
        ..RetryPolicy::default()
    }
}

/// A platform with the policy [`growing_pauses`], whose receiver answers a published event with 429 each
/// time, with the webhook's path.
async fn always_overloaded() -> (Platform, Receiver, String) {
    let platform = Platform::new().await;
    let policy = growing_pauses();
    platform.world.database.set_retry_policy(&policy).await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(429)).await;
    let path = platform.webhook_at(&receiver.url).await;
    publish_one(&platform).await;
    (platform, receiver, path)
}

/// Waits until the delivery is given up.
async fn given_up(platform: &Platform) {
    let failed = async || platform.count("failed").await == 1;
    platform.until("the delivery is given up", failed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_429_exhaust_a_policy_only_after_its_span() {
    let (platform, receiver, _) = always_overloaded().await;

    given_up(&platform).await;

    let received = receiver.received();
    let times: Vec<Duration> = received.iter().map(|r| r.at - received[0].at).collect();
    assert!(times.len() >= 5, "{times:?}");
    let (spared, counted) = times.split_at(times.len() - 3);
    let span = growing_pauses().span();
    assert!(spared.iter().all(|at| *at < span), "{times:?}");
    let nearly = span - Duration::from_millis(50);
    assert!(counted.iter().all(|at| *at > nearly), "{times:?}");
    let pauses = [times[1] - times[0], times[2] - times[1]];
    assert!(pauses[1] > pauses[0] * 2, "the pauses grow: {pauses:?}");
    assert_eq!(spent(&platform).await, HashMap::from([(3, 1)]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_429_count_as_failures_after_the_span_of_the_policy() {
    let (platform, receiver, path) = always_overloaded().await;

    arrived(&platform, &receiver, 2).await;
    let within = platform.get(&path).await;
    given_up(&platform).await;
    let after = platform.get(&path).await;

    assert_eq!(within["failing_since"], Value::Null);
    assert!(after["failing_since"].is_string(), "{after}");
    platform.end().await;
}
