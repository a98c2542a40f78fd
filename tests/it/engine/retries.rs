//! When a failed delivery is tried again.

use std::time::Duration;

use webhook_domain::{RetryPolicy, Serving};
use webhook_tests::{Answer, Received, Receiver, Stage, WebhookSample};

use crate::engine::events;

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_own_policy_counts_for_it_and_a_new_default_for_the_others() {
    let of = |max_attempts| RetryPolicy {
        max_attempts,
        initial_interval: Duration::from_millis(10),
        ..RetryPolicy::default()
    };
    let always_down = |_: usize, _: &Received| Answer::Status(500);
    let receiver = Receiver::deciding(always_down).await;
    let stage = Stage::with().receiver(receiver).policy(of(2)).start().await;
    let url = stage.receiver.url.clone();
    let own = WebhookSample {
        serving: Serving {
            retry_policy: Some(of(4)),
            ..Serving::default()
        },
        ..WebhookSample::at(&url)
    };
    own.store(&mut stage.world.database.connection().await)
        .await;

    stage.publish(&events(1)[0]).await;
    let before = stage.ended(2).await;
    stage.world.database.set_retry_policy(&of(3)).await;
    stage.publish(&events(1)[0]).await;
    let after = stage.ended(4).await;

    let attempts = |rows: &[webhook_store::deliveries::DeliveryRow]| {
        let mut attempts: Vec<i32> = rows.iter().map(|row| row.attempts).collect();
        attempts.sort_unstable();
        attempts
    };
    assert_eq!(attempts(&before), [2, 4]);
    assert_eq!(attempts(&after), [2, 3, 4, 4]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failures_retry_after_lengthens_its_own_delay_up_to_the_longest() {
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
