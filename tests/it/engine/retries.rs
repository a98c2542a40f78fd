//! The times of retries.

use std::time::Duration;

use webhook_domain::{DeliveryOptions, RetryPolicy};
use webhook_store::deliveries::DeliveryRow;
use webhook_tests::{Answer, Received, Receiver, Stage, WebhookSample, events};

/// A policy of `max_attempts` attempts with short pauses.
fn attempts(max_attempts: u32) -> RetryPolicy {
    RetryPolicy {
        max_attempts,
        initial_interval: Duration::from_millis(10),
        ..RetryPolicy::default()
    }
}

/// Stores a second webhook at the receiver of the stage, with a policy of the webhook's own.
async fn store_with_own_policy(stage: &Stage, policy: RetryPolicy) {
    let own = WebhookSample::at(&stage.receiver.url).served(DeliveryOptions {
        retry_policy: Some(policy),
        ..DeliveryOptions::default()
    });
    let mut connection = stage.world.database.connection().await;
    own.store(&mut connection).await;
}

/// The attempts of each delivery, in ascending order.
fn counts(rows: &[DeliveryRow]) -> Vec<i32> {
    let mut attempts: Vec<i32> = rows.iter().map(|row| row.attempts).collect();
    attempts.sort_unstable();
    attempts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_own_policy_counts_for_the_webhook_and_a_new_default_for_the_others() {
    let always_down = |_: usize, _: &Received| Answer::Status(500);
    let stage = Stage::with()
        .receiver(Receiver::deciding(always_down).await)
        .policy(attempts(2));
    let stage = stage.start().await;
    store_with_own_policy(&stage, attempts(4)).await;

    stage.publish(&events(1)[0]).await;
    let before = stage.ended(2).await;
    stage.world.database.set_retry_policy(&attempts(3)).await;
    stage.publish(&events(1)[0]).await;
    let after = stage.ended(4).await;

    assert_eq!(counts(&before), [2, 4]);
    assert_eq!(counts(&after), [2, 3, 4, 4]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failures_retry_after_lengthens_the_next_delay_up_to_the_longest() {
    let wait = Answer::Header(500, "retry-after: 3600");
    let receiver = Receiver::scripted(vec![wait]).await;
    let stage = Stage::with().receiver(receiver).policy(RetryPolicy {
        initial_interval: Duration::from_millis(10),
        max_interval: Duration::from_millis(800),
        ..RetryPolicy::default()
    });
    let stage = stage.start().await;

    stage.publish(&events(1)[0]).await;
    stage.ended(1).await;

    let received = stage.receiver.received();
    let waited = received[1].at - received[0].at;
    assert!(waited >= Duration::from_millis(790), "{waited:?}");
    stage.end().await;
}
