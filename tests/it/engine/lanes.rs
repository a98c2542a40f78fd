//! Lanes: requests at once, requests per second, and the deliveries handed back by a stop.

use std::time::Duration;

use webhook_domain::{RetryPolicy, WebhookStatus};
use webhook_tests::{Answer, Received, Receiver, Stage, events};

/// Sets the webhook Inactive, makes 2,000 copies of the event with a due retry each, and sets the webhook
/// Active.
const RETRIES_DUE: &str = include_str!("retries_due.sql");

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_no_more_requests_at_once_than_max_concurrency() {
    let slow = |_: usize, _: &Received| Answer::After(Duration::from_millis(30));
    let receiver = Receiver::deciding(slow).await;
    let stage = Stage::with().receiver(receiver).concurrency(2);
    let stage = stage.start().await;

    stage.publish_all(&events(40)).await;
    stage.ended(40).await;

    assert_eq!(stage.receiver.peak(), 2);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_receiver_gets_fewer_requests_at_once() {
    let slow = |number: usize, _: &Received| {
        if number < 4 {
            Answer::Status(429)
        } else {
            Answer::After(Duration::from_millis(50))
        }
    };
    let receiver = Receiver::deciding(slow).await;
    let stage = Stage::with().receiver(receiver).start().await;

    stage.publish_all(&events(4)).await;
    stage.arrived(4).await;
    stage.publish_all(&events(4)).await;
    stage.ended(8).await;

    let received = stage.receiver.received();
    let apart = received[5].at - received[4].at;
    assert!(
        apart >= Duration::from_millis(45),
        "a single request at first: {apart:?}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_holds_across_workers() {
    let stage = Stage::with().rate_limit(50).dispatchers(3).start().await;

    stage.publish_all(&events(150)).await;
    stage.ended(150).await;

    let received = stage.receiver.received();
    let seconds = (received[149].at - received[0].at).as_secs_f64();
    let rate = 149.0 / seconds;
    assert!(rate <= 55.0, "{rate:.1} requests a second at a limit of 50");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_drain_cuts_running_attempts_off_and_costs_none() {
    let hang = |_: usize, _: &Received| Answer::Hang;
    let stage = Stage::with()
        .receiver(Receiver::deciding(hang).await)
        .policy(RetryPolicy::default())
        .timeout(Duration::from_secs(20));
    let stage = stage.start().await;
    stage.publish_all(&events(10)).await;
    stage.arrived(4).await;

    stage.stops.drain.cancel();
    let (world, database) = (&stage.world, &stage.world.database);
    world
        .becomes("deliveries handed back at once", 6, || {
            database.in_backlog()
        })
        .await;
    stage.stops.cut_off.cancel();
    let world = stage.stop().await;

    assert_eq!(world.database.unattempted_in_backlog().await, 10);
    assert_eq!(world.database.attempts().await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_set_inactive_gets_no_delivery_that_waited_in_a_lane() {
    let hang = |_: usize, _: &Received| Answer::Hang;
    let stage = Stage::with()
        .receiver(Receiver::deciding(hang).await)
        .policy(RetryPolicy::default())
        .attempts(2)
        .timeout(Duration::from_secs(4));
    let stage = stage.start().await;
    stage.publish_all(&events(10)).await;
    stage.arrived(4).await;

    stage.set_status(WebhookStatus::Inactive).await;
    let (world, database) = (&stage.world, &stage.world.database);
    world
        .becomes("deliveries given back", 6, || {
            database.unattempted_in_backlog()
        })
        .await;

    assert_eq!(stage.receiver.count(), 4);
    stage.stops.cut_off.cancel();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mountain_of_retries_does_not_hold_up_a_new_event() {
    let slow_to_old = |_: usize, request: &Received| {
        if request.headers["x-webhook-attempt"] == "1" {
            return Answer::Status(200);
        }
        Answer::After(Duration::from_millis(20))
    };
    let receiver = Receiver::deciding(slow_to_old).await;
    let stage = Stage::with().receiver(receiver).start().await;
    stage.publish_all(&events(1)).await;
    stage.ended(1).await;
    stage.world.database.execute(RETRIES_DUE).await;
    stage.arrived(50).await;

    let fresh = events(1).remove(0);
    stage.publish(&fresh).await;
    let arrived = async || {
        let received = stage.receiver.received();
        received.iter().position(|r| r.body == fresh.body)
    };
    let position = stage.world.eventually("the event arrives", arrived).await;

    assert!(position < 500, "{position} of 2,000 retries went first");
    stage.stops.cut_off.cancel();
    stage.end().await;
}
