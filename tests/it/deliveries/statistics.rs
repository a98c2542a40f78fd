//! Deliveries and attempts counted by hour and by day.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::EventType;
use webhook_tests::{Answer, CreatedWebhook, Platform, Receiver, fields_of};

use crate::deliveries::{comes_to, count_comes_to, each};

async fn read(platform: &Platform, query: &str) -> Value {
    platform.get(&format!("/api/v1/statistics?{query}")).await
}

/// The total of a webhook's last 24 hours.
async fn total_of(platform: &Platform, webhook: &CreatedWebhook) -> Value {
    let query = format!("webhook_id={}", webhook.id);
    read(platform, &query).await["total"].clone()
}

/// The counts of a span: deliveries, succeeded, failed, attempts, failed attempts.
fn counts(span: &Value) -> [Option<i64>; 5] {
    [
        "deliveries",
        "succeeded",
        "failed",
        "attempts",
        "failed_attempts",
    ]
    .map(|name| span[name].as_i64())
}

/// A webhook whose receiver accepts after 150 ms, and a webhook whose receiver fails: with 503,
/// with 404, and by a timeout. Each has got three events.
async fn accepting_and_failing(platform: &Platform) -> (CreatedWebhook, CreatedWebhook) {
    let slow = Receiver::deciding(|_, _| Answer::After(Duration::from_millis(150))).await;
    let accepting = platform.webhook_to(&slow).create().await;
    let failures = vec![Answer::Status(503), Answer::Status(404), Answer::Hang];
    let breaking = Receiver::scripted(failures).await;
    let timeout = json!({"timeout_ms": 100});
    let failing = platform.webhook_to(&breaking).once().with(&timeout);
    let failing = failing.create().await;
    for number in 1..=3 {
        platform.take_in(EventType::LicenseCreated).await;
        count_comes_to(platform, "status=failed", number).await;
    }
    count_comes_to(platform, "status=succeeded", 3).await;
    (accepting, failing)
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_attempts_and_failures_are_counted_per_webhook_and_in_total() {
    let platform = Platform::new().await;
    let (accepting, failing) = accepting_and_failing(&platform).await;

    let accepted = total_of(&platform, &accepting).await;
    let failed = total_of(&platform, &failing).await;
    let all = read(&platform, "").await["total"].clone();

    assert_eq!(counts(&accepted), [3, 3, 0, 3, 0].map(Some));
    assert_eq!(counts(&failed), [3, 0, 3, 3, 3].map(Some));
    assert_eq!(counts(&all), [6, 3, 3, 6, 3].map(Some));
    assert_eq!(accepted["failures"], json!({}));
    assert_eq!(
        failed["failures"],
        json!({"4xx": 1, "5xx": 1, "timeout": 1})
    );
    assert_eq!(all["failures"], failed["failures"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn durations_are_told_as_percentiles() {
    let platform = Platform::new().await;
    let (accepting, _) = accepting_and_failing(&platform).await;

    let accepted = total_of(&platform, &accepting).await;

    let percentiles = ["p50_ms", "p95_ms", "p99_ms"].map(|name| accepted[name].as_i64());
    assert!(percentiles.is_sorted(), "{percentiles:?}");
    // The bucket of 150 ms begins at 100 ms.
    assert!(percentiles[0] >= Some(100), "{percentiles:?}");
    assert!(percentiles[2] < Some(2_000), "{percentiles:?}");
    platform.end().await;
}

/// Asserts `length` spans without holes: each begins `seconds` after the span before.
fn assert_without_holes(list: &Value, length: usize, seconds: i64) {
    let starts = each(&list["data"], "start").into_iter();
    let starts: Vec<i64> = starts
        .map(|start| start.parse::<DateTime<Utc>>().expect("a time").timestamp())
        .collect();
    assert_eq!(starts.len(), length);
    assert!(starts.windows(2).all(|two| two[1] - two[0] == seconds));
}

/// Asserts `sum` deliveries in `some` spans or another span more, and zeros in all other spans.
fn assert_counted(list: &Value, sum: i64, some: usize) {
    let spans = list["data"].as_array().expect("spans").iter();
    let (filled, empty): (Vec<_>, Vec<_>) = spans.partition(|span| span["deliveries"] != 0);
    let counted = filled.iter().filter_map(|span| span["deliveries"].as_i64());
    assert_eq!(counted.sum::<i64>(), sum);
    assert!((some..=some + 1).contains(&filled.len()), "{list}");
    for span in empty {
        assert_eq!(counts(span), [Some(0); 5]);
        assert_eq!(span["failures"], json!({}));
        assert!(span["p50_ms"].is_null(), "{span}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hour_and_day_is_listed_and_gaps_are_zeros() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    platform.take_in(EventType::LicenseCreated).await;
    comes_to(&platform, &webhook, "succeeded").await;
    platform.world.database.age(3).await;
    for total in [2, 3] {
        platform.take_in(EventType::LicenseCreated).await;
        count_comes_to(&platform, "status=succeeded", total).await;
    }

    let hours = read(&platform, "").await;
    let days = read(&platform, "interval=day").await;

    assert_without_holes(&hours, 24, 3_600);
    assert_without_holes(&days, 30, 86_400);
    // A delivery three days ago, two deliveries now, perhaps on both sides of an hour's end.
    assert_counted(&hours, 2, 1);
    assert_counted(&days, 3, 2);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_parameter_of_the_statistics_is_named() {
    let platform = Platform::new().await;

    let wrong = "/api/v1/statistics?webhook_id=5&interval=week&until=today&sum=1";
    let (status, problem) = platform.ask(Method::GET, wrong, None).await;

    assert_eq!(status, 422);
    let mut fields = fields_of(&problem);
    fields.sort_unstable();
    assert_eq!(fields, ["interval", "sum", "until", "webhook_id"]);
    platform.end().await;
}
