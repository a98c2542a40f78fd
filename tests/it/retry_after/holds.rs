//! Holds: no requests to a receiver that asked for a pause.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use webhook_tests::{Platform, Received, Receiver, Service, events};

use crate::retry_after::{
    asking_for, delivered, forbidden, is_held, limited, publish_one, publish_over, spent, webhook,
};

/// How long a receiver of [`held_while_publishing`] asks for no requests.
const HOLD: Duration = Duration::from_secs(6);

/// A platform whose receiver asked for a pause after five requests while 200 events were published,
/// with the webhook's path.
async fn held_while_publishing() -> (Platform, Receiver, String) {
    let platform = Platform::new().await;
    let receiver = asking_for(&[5], HOLD.as_secs()).await;
    let path = webhook(&platform, &receiver.url, 2).await;
    publish_over(&platform, &events(200), Duration::from_secs(2)).await;
    is_held(&platform, &path).await;
    (platform, receiver, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_with_retry_after_holds_the_receiver_and_costs_no_attempt() {
    let (platform, receiver, _) = held_while_publishing().await;

    delivered(&platform, 200).await;

    let received = receiver.received();
    let too_early = forbidden(&received, 5, HOLD);
    let last = received.last().expect("requests").at - received[5].at;
    assert!(too_early <= 1, "{too_early} requests, the last at {last:?}");
    assert!(receiver.peak() <= 2, "{} at once", receiver.peak());
    assert_eq!(spent(&platform).await, HashMap::from([(1, 200)]));
    let answered_429 = "SELECT count(*) FROM attempts
        WHERE response_status = 429 AND failure_detail LIKE '%costs no attempt%'";
    let answered_429: i64 = platform.world.database.ask(answered_429).await;
    assert_eq!(usize::try_from(answered_429), Ok(received.len() - 200));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_with_a_held_receiver_is_not_failing() {
    let (platform, _, path) = held_while_publishing().await;

    let during = platform.get(&path).await;
    delivered(&platform, 200).await;
    let after = platform.get(&path).await;

    assert_eq!(during["circuit"]["state"], "closed");
    assert_eq!(during["failing_since"], Value::Null);
    assert_eq!(after["held_until"], Value::Null);
    assert_eq!(after["failing_since"], Value::Null);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_waited_for_a_receiver_come_in_the_order_of_their_due_times() {
    let platform = Platform::new().await;
    let receiver = asking_for(&[2], 2).await;
    webhook(&platform, &receiver.url, 1).await;
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
async fn two_dispatchers_both_heed_a_pause_that_either_was_asked_for() {
    const HOLD: Duration = Duration::from_secs(3);
    let platform = Platform::new().await;
    let other = Service::dispatcher(&platform.world);
    // At the begin of the second hold, the lanes of both dispatchers are full of deliveries from the first
    // hold.
    let receiver = asking_for(&[5, 60], HOLD.as_secs()).await;
    webhook(&platform, &receiver.url, 1).await;

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
async fn a_new_dispatcher_heeds_a_pause_that_the_dispatcher_before_was_asked_for() {
    const HOLD: Duration = Duration::from_secs(4);
    let mut platform = Platform::new().await;
    let receiver = asking_for(&[3], HOLD.as_secs()).await;
    let path = webhook(&platform, &receiver.url, 1).await;
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
async fn a_522_is_told_as_the_overload_of_a_cdn_and_holds_the_receiver() {
    let platform = Platform::new().await;
    let header = "retry-after: 3600".to_owned();
    let receiver = limited(&[0], 522, header, Duration::ZERO).await;
    let path = platform.webhook_at(&receiver.url).await;

    publish_one(&platform).await;
    is_held(&platform, &path).await;

    let delivery = platform.read_deliveries().await.remove(0);
    let attempt = &delivery["attempts"][0];
    let detail = "the receiver answered 522 (connection timed out behind the CDN)";
    assert_eq!(attempt["failure_detail"], detail);
    let advice = attempt["advice"].as_str().expect("a sentence");
    assert!(advice.contains("CDN before the receiver"), "{advice}");
    let webhook = platform.get(&path).await;
    assert!(webhook["failing_since"].is_string(), "{webhook}");
    platform.end().await;
}
