//! Receivers with a need for a pause, through the real programs: `Retry-After`, 429, and the overload of
//! a CDN.

mod ends;
mod holds;
mod overload;
mod values;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use webhook_domain::Event;
use webhook_tests::{Answer, Platform, Received, Receiver, events};

/// A receiver that accepts requests up to the number `good` and answers all requests of the next `span`
/// with `status` and `header`, once for each number of `good`.
async fn limited(good: &'static [usize], status: u16, header: String, span: Duration) -> Receiver {
    let forbidden: Mutex<Vec<Instant>> = Mutex::default();
    let head = format!("HTTP/1.1 {status} Scripted\r\n{header}\r\ncontent-length: 0\r\n\r\n");
    Receiver::deciding(move |number, request: &Received| {
        let mut forbidden = forbidden.lock().expect("no panic");
        let held = forbidden
            .last()
            .is_some_and(|from| request.at < *from + span);
        let next = good.get(forbidden.len());
        if !held && next.is_some_and(|good| number >= *good) {
            forbidden.push(request.at);
        } else if !held {
            return Answer::Status(200);
        }
        Answer::Raw(head.clone().into_bytes())
    })
    .await
}

async fn asking_for(good: &'static [usize], seconds: u64) -> Receiver {
    let header = format!("retry-after: {seconds}");
    limited(good, 429, header, Duration::from_secs(seconds)).await
}

/// The requests in the span from the request number `first` on, without the first.
fn forbidden(received: &[Received], first: usize, span: Duration) -> usize {
    let until = received[first].at + span;
    received[first + 1..]
        .iter()
        .filter(|r| r.at < until)
        .count()
}

/// Publishes events evenly over `time`.
async fn publish_over(platform: &Platform, events: &[Event], time: Duration) {
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let mut pace = tokio::time::interval(time / u32::try_from(events.len()).expect("few events"));
    for event in events {
        pace.tick().await;
        publisher.publish(event).await.expect("the broker confirms");
    }
    cancel.cancel();
}

/// Publishes a single event.
async fn publish_one(platform: &Platform) {
    publish_over(platform, &events(1), Duration::from_millis(1)).await;
}

/// Creates a webhook with a bound of requests at once, and returns the API path.
async fn webhook(platform: &Platform, url: &str, max_concurrency: u64) -> String {
    let path = platform.webhook_at(url).await;
    let bound = json!({"max_concurrency": max_concurrency});
    let (status, answer) = platform.patch(&path, &bound).await;
    assert_eq!(status, 200, "{answer}");
    path
}

async fn delivered(platform: &Platform, count: i64) {
    let all = async || (platform.world.database.delivered().await == count).then_some(());
    platform.world.patiently("all are delivered", all).await;
}

async fn arrived(platform: &Platform, receiver: &Receiver, count: usize) {
    let there = async || receiver.count() >= count;
    platform.until("the requests arrive", there).await;
}

async fn is_held(platform: &Platform, webhook: &str) -> DateTime<Utc> {
    let held = async || {
        let read = platform.get(webhook).await;
        read["held_until"].as_str()?.parse().ok()
    };
    platform
        .world
        .eventually("the receiver is held", held)
        .await
}

/// The number of ended deliveries by the spent attempts of the schedule.
async fn spent(platform: &Platform) -> HashMap<i64, i64> {
    let counts = async |spent: i64| {
        let sql = format!(
            "SELECT count(*) FROM deliveries_ended WHERE attempts - schedule_from = {spent}"
        );
        platform.world.database.ask::<i64>(&sql).await
    };
    let mut by_number = HashMap::new();
    for number in 0..6 {
        by_number.insert(number, counts(number).await);
    }
    by_number.retain(|_, count| *count > 0);
    by_number
}
