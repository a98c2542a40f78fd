//! How much at once, how fast, and what a stop gives back.

use std::time::Duration;

use webhook_domain::{MaxConcurrency, RateLimit, RetryPolicy, Serving, WebhookStatus};
use webhook_tests::{Answer, Received, Receiver, Stage, StageSetup, set_status};

use crate::engine::events;

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_no_more_at_once_than_it_wants() {
    let slow = |_: usize, _: &Received| Answer::After(Duration::from_millis(30));
    let setup = StageSetup {
        serving: Serving {
            max_concurrency: Some(MaxConcurrency::new(2).expect("a limit")),
            ..Serving::default()
        },
        ..StageSetup::default()
    };
    let stage = Stage::set(Receiver::deciding(slow).await, setup).await;

    stage.publish_all(&events(40)).await;
    stage.ended(40).await;

    assert_eq!(stage.receiver.peak(), 2);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_receiver_gets_less_at_once() {
    let slow = |number: usize, _: &Received| {
        if number < 4 {
            Answer::Status(429)
        } else {
            Answer::After(Duration::from_millis(50))
        }
    };
    let receiver = Receiver::deciding(slow).await;
    let stage = Stage::set(receiver, StageSetup::default()).await;

    stage.publish_all(&events(4)).await;
    stage.arrived(4).await;
    stage.publish_all(&events(4)).await;
    stage.ended(8).await;

    let received = stage.receiver.received();
    let apart = received[5].at - received[4].at;
    assert!(
        apart >= Duration::from_millis(45),
        "one at first: {apart:?}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_holds_across_workers() {
    let setup = StageSetup {
        serving: Serving {
            rate_limit: Some(RateLimit::new(50).expect("a limit")),
            ..Serving::default()
        },
        dispatchers: 3,
        ..StageSetup::default()
    };
    let stage = Stage::set(Receiver::answering(&[]).await, setup).await;

    stage.publish_all(&events(150)).await;
    stage.ended(150).await;

    let received = stage.receiver.received();
    let seconds = (received[149].at - received[0].at).as_secs_f64();
    let rate = 149.0 / seconds;
    println!("150 requests at a limit of 50 a second took {seconds:.2} s: {rate:.1} a second");
    assert!(rate <= 55.0, "{rate}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_drain_cuts_running_attempts_off_and_costs_none() {
    let hang = |_: usize, _: &Received| Answer::Hang;
    let setup = StageSetup {
        policy: RetryPolicy {
            timeout: Duration::from_secs(20),
            ..RetryPolicy::default()
        },
        ..StageSetup::default()
    };
    let stage = Stage::set(Receiver::deciding(hang).await, setup).await;
    stage.publish_all(&events(10)).await;
    stage.arrived(4).await;

    stage.stops.cancel.cancel();
    let queued_are_back = async || {
        let sql = "SELECT count(*) FROM deliveries WHERE backlog = 0";
        (stage.world.ask::<i64>(sql).await == 6).then_some(())
    };
    stage
        .world
        .eventually("what waited is handed back at once", queued_are_back)
        .await;
    stage.stops.deadline.cancel();
    let world = stage.stop().await;

    let sql = "SELECT count(*) FROM deliveries WHERE backlog = 0 AND attempts = 0";
    assert_eq!(world.ask::<i64>(sql).await, 10);
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM attempts").await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_set_inactive_gets_nothing_of_what_waited_in_a_lane() {
    let hang = |_: usize, _: &Received| Answer::Hang;
    let setup = StageSetup {
        policy: RetryPolicy {
            max_attempts: 2,
            timeout: Duration::from_secs(4),
            ..RetryPolicy::default()
        },
        ..StageSetup::default()
    };
    let stage = Stage::set(Receiver::deciding(hang).await, setup).await;
    stage.publish_all(&events(10)).await;
    stage.arrived(4).await;

    let mut connection = stage.world.connection().await;
    set_status(&mut connection, stage.webhook_id, WebhookStatus::Inactive).await;
    drop(connection);
    let given_back = async || {
        let sql = "SELECT count(*) FROM deliveries WHERE backlog = 0 AND attempts = 0";
        (stage.world.ask::<i64>(sql).await == 6).then_some(())
    };
    stage.world.eventually("it is given back", given_back).await;

    assert_eq!(stage.receiver.count(), 4);
    stage.stops.deadline.cancel();
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
    let stage = Stage::set(Receiver::deciding(slow_to_old).await, StageSetup::default()).await;
    let deactivate = "UPDATE webhooks SET status = 'inactive'";
    stage.publish_all(&events(1)).await;
    stage.ended(1).await;
    stage.world.execute(deactivate).await;
    let mountain = "INSERT INTO events (id, event_type, environment, occurred_at, body)
            SELECT gen_random_uuid(), event_type, environment, occurred_at, body
            FROM events, generate_series(1, 2000);
        INSERT INTO deliveries
                (id, event_id, webhook_id, event_type, environment, attempts, next_attempt_at)
            SELECT gen_random_uuid(), events.id, webhooks.id, events.event_type::event_type,
                'production', 1, now() - interval '1 h'
            FROM events, webhooks WHERE NOT EXISTS
                (SELECT FROM deliveries WHERE deliveries.event_id = events.id);
        UPDATE webhooks SET status = 'active'";
    stage.world.execute(mountain).await;
    stage.arrived(50).await;

    let fresh = events(1).remove(0);
    stage.publish(&fresh).await;
    let arrived = async || {
        let received = stage.receiver.received();
        received.iter().position(|r| r.body == fresh.body)
    };
    let position = stage.world.eventually("it arrives", arrived).await;

    println!("it was number {position} of 2,001");
    assert!(position < 500, "{position} retries went first");
    stage.stops.deadline.cancel();
    stage.end().await;
}
