//! What was delivered, by hour and by day.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::EventType;
use webhook_tests::{Answer, Platform, Receiver};

use crate::deliveries::{comes_to, count_comes_to, create, each, once, publish};

async fn read(platform: &Platform, query: &str) -> Value {
    platform.get(&format!("/api/v1/statistics?{query}")).await
}

/// These counts of a span.
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

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_is_counted_per_webhook_and_in_total() {
    let platform = Platform::new().await;
    let slow = Receiver::deciding(|_, _| Answer::After(Duration::from_millis(150))).await;
    let breaking = Receiver::scripted(vec![Answer::Status(503), Answer::Status(404), Answer::Hang]);
    let breaking = breaking.await;
    let accepts = create(&platform, "Accepts", &slow.url, &json!({})).await;
    let mut hurried = once();
    hurried["timeout_ms"] = json!(100);
    let breaks = create(&platform, "Breaks", &breaking.url, &hurried).await;

    for number in 1..=3 {
        publish(&platform, EventType::LicenseCreated).await;
        count_comes_to(&platform, "status=failed", number).await;
    }
    count_comes_to(&platform, "status=succeeded", 3).await;

    let of = |webhook: &str| format!("webhook_id={webhook}");
    let own = read(&platform, &of(&accepts)).await["total"].clone();
    let other = read(&platform, &of(&breaks)).await["total"].clone();
    let all = read(&platform, "").await["total"].clone();
    assert_eq!(counts(&own), [3, 3, 0, 3, 0].map(Some));
    assert_eq!(counts(&other), [3, 0, 3, 3, 3].map(Some));
    assert_eq!(counts(&all), [6, 3, 3, 6, 3].map(Some));
    assert_eq!(own["failures"], json!({}));
    assert_eq!(other["failures"], json!({"4xx": 1, "5xx": 1, "timeout": 1}));
    assert_eq!(all["failures"], other["failures"]);
    let percentiles = ["p50_ms", "p95_ms", "p99_ms"].map(|name| own[name].as_i64());
    assert!(percentiles.is_sorted(), "{percentiles:?}");
    // The bucket that 150 ms fall into begins at 100 ms.
    assert!(
        percentiles[0] >= Some(100) && percentiles[2] < Some(2_000),
        "{percentiles:?}"
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hour_and_day_is_there_and_gaps_are_zeros() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &json!({})).await;
    publish(&platform, EventType::LicenseCreated).await;
    comes_to(&platform, &webhook, "succeeded").await;
    platform.world.database.age(3).await;
    for total in [2, 3] {
        publish(&platform, EventType::LicenseCreated).await;
        count_comes_to(&platform, "status=succeeded", total).await;
    }

    let hours = read(&platform, "").await;
    let days = read(&platform, "interval=day").await;

    // Three days ago one, now two, which may be on either side of an hour's end.
    for (list, spans, seconds, least, sum) in [(&hours, 24, 3_600, 1, 2), (&days, 30, 86_400, 2, 3)]
    {
        let starts: Vec<i64> = each(&list["data"], "start")
            .into_iter()
            .map(|start| {
                start
                    .parse::<chrono::DateTime<chrono::Utc>>()
                    .expect("a time")
                    .timestamp()
            })
            .collect();
        assert_eq!(starts.len(), spans);
        assert!(starts.windows(2).all(|two| two[1] - two[0] == seconds));
        let data = list["data"].as_array().expect("spans").iter();
        let (some, none): (Vec<_>, Vec<_>) = data.partition(|span| span["deliveries"] != 0);
        let counted = some.iter().filter_map(|span| span["deliveries"].as_i64());
        assert_eq!(counted.sum::<i64>(), sum);
        assert!((least..=least + 1).contains(&some.len()));
        for gap in none {
            assert_eq!(counts(gap), [Some(0); 5]);
            assert_eq!(
                (&gap["failures"], &gap["p50_ms"]),
                (&json!({}), &json!(null))
            );
        }
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_counted_is_refused_by_name() {
    let platform = Platform::new().await;

    let wrong = "/api/v1/statistics?webhook_id=5&interval=week&until=today&sum=1";
    let (status, problem) = platform.ask(Method::GET, wrong, None).await;

    assert_eq!(status, 422);
    let mut fields = each(&problem["errors"], "field");
    fields.sort_unstable();
    assert_eq!(fields, ["interval", "sum", "until", "webhook_id"]);
    platform.end().await;
}
