//! Circuits, disabling, and what the platform is told.

use std::time::Duration;

use webhook_domain::{Circuit, CircuitPolicy, RetryPolicy, WebhookStatus};
use webhook_tests::{Answer, Received, Receiver, Stage, set_status};

use crate::engine::events;

/// A circuit that opens soon and pauses shortly.
fn quick() -> CircuitPolicy {
    CircuitPolicy {
        opens_after: 5,
        first_pause: Duration::from_millis(300),
        max_pause: Duration::from_millis(600),
        ..CircuitPolicy::default()
    }
}

/// The default policy with another first pause.
fn retrying_after(initial_interval: Duration) -> RetryPolicy {
    RetryPolicy {
        initial_interval,
        ..RetryPolicy::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_circuit_is_open_waiting_costs_no_attempt_and_one_2xx_closes_it() {
    let down = |number: usize, _: &Received| Answer::Status(if number < 10 { 500 } else { 200 });
    let stage = Stage::with()
        .receiver(Receiver::deciding(down).await)
        .policy(retrying_after(Duration::from_millis(10)))
        .health(quick());
    let stage = stage.start().await;
    stage.publish_all(&events(4)).await;
    let open = async || match stage.webhook().await.failing?.circuit {
        Circuit::Open { .. } => Some(()),
        Circuit::Closed => None,
    };
    stage.world.eventually("the circuit opens", open).await;
    let when_it_opened = stage.receiver.count();

    stage.publish_all(&events(100)).await;
    stage.ended(104).await;

    let received = stage.receiver.received();
    let probes = received[when_it_opened..].iter().take(2);
    let probes: Vec<_> = probes.map(|r| r.at).collect();
    assert!(
        when_it_opened <= 8,
        "{when_it_opened} requests before it opened"
    );
    assert!(
        probes[1] - probes[0] >= Duration::from_millis(250),
        "single probes"
    );
    assert_eq!(received.len(), 104 + 10, "each failure was a request");
    assert_eq!(stage.webhook().await.failing, None);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_of_failure_warn_then_disable_and_re_enabling_goes_on() {
    let down = |number: usize, _: &Received| Answer::Status(if number < 3 { 500 } else { 200 });
    let stage = Stage::with()
        .receiver(Receiver::deciding(down).await)
        .policy(retrying_after(Duration::from_millis(200)))
        .health(CircuitPolicy {
            disable_after: Duration::from_secs(10 * 86_400),
            ..CircuitPolicy::default()
        });
    let stage = stage.start().await;
    stage.world.broker.listen_to_status().await;
    let back_by = async |days: i32, once: &str| {
        let world = &stage.world;
        let so_far = async || {
            let sql = format!("SELECT count(*) FROM webhook_health WHERE {once}");
            (world.database.ask::<i64>(&sql).await == 1).then_some(())
        };
        world.eventually(once, so_far).await;
        let back = format!(
            "UPDATE webhook_health SET failing_since = failing_since - interval '{days} days',
                 warned_at = warned_at - interval '{days} days'"
        );
        world.database.execute(&back).await;
    };

    stage.publish(&events(1)[0]).await;
    back_by(6, "failures = 1").await;
    back_by(11, "warned_at IS NOT NULL").await;
    let inactive = async || {
        let webhook = stage.webhook().await;
        (webhook.settings.status == WebhookStatus::Inactive).then_some(webhook.disabled_reason)
    };
    let reason = stage.world.eventually("it is disabled", inactive).await;
    let before = stage.receiver.count();
    let mut connection = stage.world.database.connection().await;
    set_status(&mut connection, stage.webhook_id, WebhookStatus::Active).await;
    drop(connection);
    stage.ended(1).await;

    let mut told = Vec::new();
    let all_told = async || {
        told.extend(stage.world.broker.told().await);
        (told.len() == 3).then_some(())
    };
    stage
        .world
        .eventually("the platform is told", all_told)
        .await;
    let types: Vec<_> = told.iter().map(|t| t["type"].as_str()).collect();
    assert_eq!(
        types,
        ["webhook.warning", "webhook.disabled", "webhook.enabled"].map(Some)
    );
    assert_eq!(reason.as_deref(), Some("it has only failed for 10 days"));
    assert_eq!((before, stage.receiver.count()), (3, 4));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_told_of_a_delivery_that_is_exhausted() {
    let stage = Stage::new(&[500, 500, 500]).await;
    stage.world.broker.listen_to_status().await;
    let event = events(1).remove(0);

    stage.publish(&event).await;
    let rows = stage.ended(1).await;
    let told = async || stage.world.broker.told().await.pop();
    let told = stage.world.eventually("it is told", told).await;

    assert_eq!(told["type"], "delivery.exhausted");
    assert_eq!(told["delivery"]["id"], rows[0].id.to_string());
    assert_eq!(told["delivery"]["event_id"], event.id.to_string());
    assert_eq!(told["delivery"]["attempts"], 3);
    stage.end().await;
}
