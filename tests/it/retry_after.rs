//! Receivers that ask for a pause, through the real programs: `Retry-After`, 429, and the overload of a
//! CDN.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use webhook_domain::{Environment, Event, EventType, RetryPolicy};
use webhook_tests::{Answer, Platform, Received, Receiver, Service, event};

/// A receiver that accepts requests up to the number `good` and answers all requests of the `span` after
/// that with `status` and `header`. Repeats that for each number of `good`.
async fn limited(good: &'static [usize], status: u16, header: String, span: Duration) -> Receiver {
    let forbidden: Mutex<Vec<Instant>> = Mutex::default();
    let head = format!("HTTP/1.1 {status} Scripted\r\n{header}\r\ncontent-length: 0\r\n\r\n");
    Receiver::deciding(move |number, request: &Received| {
        let mut forbidden = forbidden.lock().expect("it is whole");
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

/// The requests in the span that begins with the request number `first`, without that request.
fn forbidden(received: &[Received], first: usize, span: Duration) -> usize {
    let until = received[first].at + span;
    received[first + 1..]
        .iter()
        .filter(|r| r.at < until)
        .count()
}

fn events(count: usize) -> Vec<Event> {
    (0..count)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect()
}

/// Publishes events evenly over `time`.
async fn publish_over(platform: &Platform, events: &[Event], time: Duration) {
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let mut pace = tokio::time::interval(time / u32::try_from(events.len()).expect("few"));
    for event in events {
        pace.tick().await;
        publisher.publish(event).await.expect("it is confirmed");
    }
    cancel.cancel();
}

async fn webhook(platform: &Platform, url: &str, settings: Value) -> String {
    let path = platform.webhook_at(url).await;
    let (status, answer) = platform.patch(&path, &settings).await;
    assert_eq!(status, 200, "{answer}");
    path
}

async fn delivered(platform: &Platform, count: i64) {
    let all = async || (platform.world.database.delivered().await == count).then_some(());
    platform.world.patiently("all are delivered", all).await;
}

async fn arrived(platform: &Platform, receiver: &Receiver, count: usize) {
    let there = async || (receiver.count() >= count).then_some(());
    platform
        .world
        .eventually("the requests arrive", there)
        .await;
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

/// The number of ended deliveries by the attempts of their schedule that they spent.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_429_with_retry_after_holds_the_receiver_and_costs_no_attempt() {
    const HOLD_S: u64 = 6;
    const PUBLISHED_WITHIN: Duration = Duration::from_secs(2);
    let platform = Platform::new().await;
    let receiver = asking_for(&[5], HOLD_S).await;
    let path = webhook(&platform, &receiver.url, json!({"max_concurrency": 2})).await;
    let events = events(200);

    publish_over(&platform, &events, PUBLISHED_WITHIN).await;
    is_held(&platform, &path).await;
    let during = platform.get(&path).await;
    delivered(&platform, 200).await;

    let received = receiver.received();
    let too_early = forbidden(&received, 5, Duration::from_secs(HOLD_S));
    let last = received.last().expect("some").at - received[5].at;
    assert!(
        too_early <= 1,
        "{too_early} requests, the last after {last:?}"
    );
    assert_eq!(
        (&during["circuit"]["state"], &during["failing_since"]),
        (&json!("closed"), &Value::Null)
    );
    assert_eq!(spent(&platform).await, HashMap::from([(1, 200)]));
    let answered_429: i64 = platform
        .world
        .database.ask("SELECT count(*) FROM attempts WHERE response_status = 429 AND failure_detail LIKE '%costs no attempt%'")
        .await;
    assert_eq!(usize::try_from(answered_429), Ok(received.len() - 200));
    assert!(receiver.peak() <= 2, "{} at once", receiver.peak());
    let after = platform.get(&path).await;
    assert_eq!(
        (&after["held_until"], &after["failing_since"]),
        (&Value::Null, &Value::Null)
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_receiver_comes_in_the_order_in_which_it_was_due() {
    let platform = Platform::new().await;
    let receiver = asking_for(&[2], 2).await;
    webhook(&platform, &receiver.url, json!({"max_concurrency": 1})).await;
    let events = events(60);

    publish_over(&platform, &events, Duration::from_secs(1)).await;
    delivered(&platform, 60).await;

    let place = |request: &Received| events.iter().position(|e| e.body == request.body);
    let received = receiver.received();
    let refused = place(&received[2]);
    let places: Vec<_> = received
        .iter()
        .map(place)
        .filter(|p| *p != refused)
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_dispatchers_both_heed_what_one_of_them_was_told() {
    const HOLD: Duration = Duration::from_secs(3);
    let platform = Platform::new().await;
    let other = Service::dispatcher(&platform.world);
    // When the second hold begins, the lanes of both dispatchers are full of deliveries that waited for
    // the end of the first.
    let receiver = asking_for(&[5, 60], HOLD.as_secs()).await;
    webhook(&platform, &receiver.url, json!({"max_concurrency": 1})).await;

    publish_over(&platform, &events(300), Duration::from_secs(1)).await;
    delivered(&platform, 300).await;

    let received = receiver.received();
    let second = received.iter().position(|r| r.at >= received[5].at + HOLD);
    let second = second.map_or(0, |after| after.max(60));
    let too_early = [5, second].map(|first| forbidden(&received, first, HOLD));
    assert!(too_early[0] <= 1 && too_early[1] <= 2, "{too_early:?}");
    assert_eq!(spent(&platform).await, HashMap::from([(1, 300)]));
    other.kill().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatcher_that_starts_anew_heeds_what_the_one_before_was_told() {
    const HOLD: Duration = Duration::from_secs(4);
    let mut platform = Platform::new().await;
    let receiver = asking_for(&[3], HOLD.as_secs()).await;
    let path = webhook(&platform, &receiver.url, json!({"max_concurrency": 1})).await;
    publish_over(&platform, &events(20), Duration::from_millis(100)).await;
    is_held(&platform, &path).await;

    let anew = Service::dispatcher(&platform.world);
    std::mem::replace(&mut platform.dispatcher, anew)
        .kill()
        .await;
    publish_over(&platform, &events(20), Duration::from_millis(100)).await;
    delivered(&platform, 40).await;

    let too_early = forbidden(&receiver.received(), 3, HOLD);
    assert!(too_early <= 1, "{too_early} requests");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_429_exhaust_no_policy_within_its_span_and_do_after_it() {
    let platform = Platform::new().await;
    let policy = RetryPolicy {
        max_attempts: 3,
        initial_interval: Duration::from_millis(300),
        multiplier: 4.0,
        jitter: 0.0,
        ..RetryPolicy::default()
    };
    platform.world.database.set_retry_policy(&policy).await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(429)).await;
    let path = platform.webhook_at(&receiver.url).await;

    publish_over(&platform, &events(1), Duration::from_millis(1)).await;
    arrived(&platform, &receiver, 2).await;
    let young = platform.get(&path).await;
    let failed = async || (platform.count("failed").await == 1).then_some(());
    platform.world.eventually("it is given up", failed).await;

    let times: Vec<Duration> = {
        let received = receiver.received();
        received.iter().map(|r| r.at - received[0].at).collect()
    };
    assert_eq!(young["failing_since"], Value::Null);
    assert_eq!(spent(&platform).await, HashMap::from([(3, 1)]));
    assert!(times.len() >= 5, "{times:?}");
    let (spared, counted) = times.split_at(times.len() - 3);
    assert!(spared.iter().all(|at| *at < policy.span()), "{times:?}");
    assert!(
        counted
            .iter()
            .all(|at| *at + Duration::from_millis(50) > policy.span()),
        "{times:?}"
    );
    let pauses = [times[1] - times[0], times[2] - times[1]];
    assert!(pauses[1] > pauses[0] * 2, "the pauses grow: {pauses:?}");
    let after = platform.get(&path).await;
    assert!(after["failing_since"].is_string(), "they count by now");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_of_every_form_and_fractions_are_obeyed() {
    let platform = Platform::new().await;
    let until = Utc::now() + TimeDelta::seconds(6);
    let forms = [
        until.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        until.format("%A, %d-%b-%y %H:%M:%S GMT").to_string(),
        until.format("%a %b %e %H:%M:%S %Y").to_string(),
        "2.5".to_owned(),
    ];
    let mut receivers = Vec::new();
    for form in &forms {
        // The receiver accepts every request after the first: the dispatcher alone must wait.
        let header = format!("retry-after: {form}");
        let receiver = limited(&[0], 503, header, Duration::ZERO).await;
        platform.webhook_at(&receiver.url).await;
        receivers.push(receiver);
    }

    publish_over(&platform, &events(1), Duration::from_millis(1)).await;
    for receiver in &receivers {
        arrived(&platform, receiver, 2).await;
    }

    let now = (Instant::now(), Utc::now());
    for (receiver, form) in receivers.iter().zip(&forms) {
        let times: Vec<Instant> = receiver.received().iter().map(|r| r.at).collect();
        let waited = times[1] - times[0];
        if form == "2.5" {
            assert!(waited >= Duration::from_millis(2_500), "{form}: {waited:?}");
        } else {
            let came = now.1 - TimeDelta::from_std(now.0 - times[1]).expect("a while");
            assert!(came >= until - TimeDelta::seconds(1), "{form}: {came}");
        }
        assert!(waited < Duration::from_secs(8), "{form}: {waited:?}");
    }
    platform.end().await;
}

/// A platform with a webhook whose receiver asked for a pause of an hour after its first request and
/// accepts all others, and with ten deliveries that wait for the hour.
async fn held_for_an_hour() -> (Platform, Receiver, String) {
    let platform = Platform::new().await;
    let header = "retry-after: 3600".to_owned();
    let receiver = limited(&[0], 429, header, Duration::ZERO).await;
    let path = webhook(&platform, &receiver.url, json!({"max_concurrency": 1})).await;
    publish_over(&platform, &events(1), Duration::from_millis(1)).await;
    is_held(&platform, &path).await;
    publish_over(&platform, &events(10), Duration::from_millis(100)).await;
    let waiting = async || (platform.count("pending").await == 11).then_some(());
    platform.world.eventually("they wait", waiting).await;
    (platform, receiver, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_a_hold_and_an_accepted_test_ends_it() {
    let (platform, receiver, path) = held_for_an_hour().await;
    let until = is_held(&platform, &path).await;

    let diagnosis = platform.get(&format!("{path}/diagnosis")).await;
    let before = receiver.count();
    let test = json!({"event_type": "license.activated"});
    let (_, sent) = platform.post(&format!("{path}/test?wait=10s"), &test).await;
    // Ten deliveries and the test event. The delivery that was answered with 429 waits for the hour.
    delivered(&platform, 11).await;

    let status = &diagnosis["findings"][0];
    let told = status["message"].as_str().expect("a sentence");
    assert!(
        told.contains(&until.format("until %Y-%m-%d %H:%M:%S UTC").to_string()),
        "{told}"
    );
    assert_eq!(
        (&status["check"], &status["severity"]),
        (&json!("status"), &json!("problem"))
    );
    assert_eq!(before, 1, "nothing was sent meanwhile");
    assert_eq!(sent["delivery"]["status"], "succeeded", "{sent}");
    assert_eq!(platform.get(&path).await["held_until"], Value::Null);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_or_another_rate_ends_a_hold() {
    let retried = async |platform: &Platform, _: &str| {
        let first = platform.get("/api/v1/deliveries?status=retrying").await;
        let id = first["data"][0]["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/v1/deliveries/{id}/retry");
        platform.ask(Method::POST, &path, None).await.0
    };
    let (platform, _, path) = held_for_an_hour().await;
    assert_eq!(retried(&platform, &path).await, 202);
    delivered(&platform, 11).await;
    platform.end().await;

    let (platform, _, path) = held_for_an_hour().await;
    let renamed = platform.patch(&path, &json!({"name": "Another"})).await;
    assert!(renamed.1["held_until"].is_string(), "{renamed:?}");
    let slower = platform.patch(&path, &json!({"rate_limit": 100})).await;
    assert_eq!(slower.1["held_until"], Value::Null);
    delivered(&platform, 10).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_522_is_told_as_the_overload_of_a_cdn_and_holds_the_receiver() {
    let platform = Platform::new().await;
    let header = "retry-after: 3600".to_owned();
    let receiver = limited(&[0], 522, header, Duration::ZERO).await;
    let path = platform.webhook_at(&receiver.url).await;

    publish_over(&platform, &events(1), Duration::from_millis(1)).await;
    is_held(&platform, &path).await;

    let listed = platform.get("/api/v1/deliveries").await;
    let id = listed["data"][0]["id"].as_str().expect("an id");
    let read = platform.get(&format!("/api/v1/deliveries/{id}")).await;
    let attempt = &read["attempts"][0];
    assert_eq!(
        attempt["failure_detail"],
        "the receiver answered 522 (connection timed out behind the CDN)"
    );
    let advice = attempt["advice"].as_str().expect("a sentence");
    assert!(advice.contains("CDN before the receiver"), "{advice}");
    assert!(
        platform.get(&path).await["failing_since"].is_string(),
        "it is a failure"
    );
    platform.end().await;
}
