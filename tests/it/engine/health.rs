//! Circuits, disabling, and the status events for the platform.

use std::time::Duration;

use serde_json::Value;
use webhook_domain::{Circuit, CircuitPolicy, RetryPolicy, WebhookStatus};
use webhook_tests::{Answer, Received, Receiver, Stage, each, events};

/// A circuit with an early opening and short pauses.
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

/// A receiver that answers the first `failures` requests with 500.
async fn failing_at_first(failures: usize) -> Receiver {
    let answer = move |number: usize, _: &Received| {
        let failing = number < failures;
        Answer::Status(if failing { 500 } else { 200 })
    };
    Receiver::deciding(answer).await
}

/// A stage whose receiver fails ten times, with an open circuit and up to eight failures so far.
async fn stage_with_an_open_circuit() -> Stage {
    let stage = Stage::with()
        .receiver(failing_at_first(10).await)
        .policy(retrying_after(Duration::from_millis(10)))
        .health(quick());
    let stage = stage.start().await;
    stage.publish_all(&events(4)).await;
    let open = async || {
        let failing = stage.webhook().await.failing;
        failing.is_some_and(|f| matches!(f.circuit, Circuit::Open { .. }))
    };
    stage.world.until("the circuit opens", open).await;
    let requests = stage.receiver.count();
    assert!(
        requests <= 8,
        "{requests} requests before the circuit opened"
    );
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_an_open_circuit_costs_no_attempt_and_a_2xx_closes_the_circuit() {
    let stage = stage_with_an_open_circuit().await;

    stage.publish_all(&events(100)).await;
    stage.ended(104).await;

    let requests = stage.receiver.count();
    assert_eq!(requests, 104 + 10, "each failure was a request");
    assert_eq!(stage.webhook().await.failing, None);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_of_an_open_circuit_go_out_one_by_one() {
    let stage = stage_with_an_open_circuit().await;
    let when_open = stage.receiver.count();

    stage.ended(4).await;

    let received = stage.receiver.received();
    let [first, second] = [when_open, when_open + 1].map(|number| received[number].at);
    let apart = second - first;
    assert!(apart >= Duration::from_millis(250), "{apart:?}");
    stage.end().await;
}

/// A stage whose webhooks are disabled after ten days of failures. The receiver fails three times.
async fn stage_with_ten_days_to_disable() -> Stage {
    let stage = Stage::with()
        .receiver(failing_at_first(3).await)
        .policy(retrying_after(Duration::from_millis(200)))
        .health(CircuitPolicy {
            disable_after: Duration::from_secs(10 * 86_400),
            ..CircuitPolicy::default()
        });
    let stage = stage.start().await;
    stage.world.broker.listen_to_status().await;
    stage
}

/// Waits until the health of the webhook meets `condition`, and moves the failures `days` days into
/// the past.
async fn age_failures(stage: &Stage, days: i32, condition: &str) {
    let database = &stage.world.database;
    let met = format!("SELECT count(*) FROM webhook_health WHERE {condition}");
    stage
        .world
        .becomes(condition, 1, || database.ask(&met))
        .await;
    let age = format!(
        "UPDATE webhook_health SET failing_since = failing_since - interval '{days} days',
             warned_at = warned_at - interval '{days} days'"
    );
    database.execute(&age).await;
}

/// Publishes an event, lets ten days of failures pass, and returns the reason of the disabling.
async fn fail_for_ten_days(stage: &Stage) -> Option<String> {
    stage.publish(&events(1)[0]).await;
    age_failures(stage, 6, "failures = 1").await;
    age_failures(stage, 11, "warned_at IS NOT NULL").await;
    let inactive = async || {
        let webhook = stage.webhook().await;
        (webhook.settings.status == WebhookStatus::Inactive).then_some(webhook.disabled_reason)
    };
    let world = &stage.world;
    world.eventually("the webhook is disabled", inactive).await
}

/// Waits until the platform is told `count` status events, and returns the events.
async fn told(stage: &Stage, count: usize) -> Value {
    let mut told = Vec::new();
    let all = async || {
        told.extend(stage.world.broker.told().await);
        told.len() == count
    };
    stage.world.until("the platform is told", all).await;
    told.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn days_of_failure_warn_then_disable_and_re_enabling_goes_on() {
    let stage = stage_with_ten_days_to_disable().await;

    let reason = fail_for_ten_days(&stage).await;
    let before = stage.receiver.count();
    stage.set_status(WebhookStatus::Active).await;
    stage.ended(1).await;

    let told = told(&stage, 3).await;
    let types = ["webhook.warning", "webhook.disabled", "webhook.enabled"];
    assert_eq!(each(&told, "type"), types);
    assert_eq!(reason.as_deref(), Some("every attempt failed for 10 days"));
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
    let told = &told(&stage, 1).await[0];

    assert_eq!(told["type"], "delivery.exhausted");
    assert_eq!(told["delivery"]["id"], rows[0].id.to_string());
    assert_eq!(told["delivery"]["event_id"], event.id.to_string());
    assert_eq!(told["delivery"]["attempts"], 3);
    stage.end().await;
}
