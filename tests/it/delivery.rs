//! From RabbitMQ to a receiver, through the real dispatcher.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use webhook_domain::{DeliveryStatus, Environment, Event, EventType, FailureClass, SigningSecret};
use webhook_store::{attempts, webhooks};
use webhook_tests::{Answer, Received, Stage, event, event_with};

/// Checks the signature with the verifier of the Standard Webhooks project.
fn verify(secret: &SigningSecret, request: &Received) {
    let headers: HeaderMap = request
        .headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header's name");
            let value = HeaderValue::from_str(value);
            (name, value.expect("a header's value"))
        })
        .collect();
    let verifier = standardwebhooks::Webhook::new(secret.reveal()).expect("a secret");
    verifier
        .verify(&request.body, &headers)
        .expect("the signature holds");
}

/// Asserts a request with the bytes, the type and the id of an event, and with a valid signature.
fn assert_arrived(received: &[Received], event: &Event, secret: &SigningSecret) {
    let request = received.iter().find(|request| request.body == event.body);
    let request = request.expect("the event arrived");
    let event_type = event.event_type.as_str();
    assert_eq!(request.headers["x-webhook-event"], event_type);
    assert_eq!(request.headers["webhook-id"], event.id.to_string());
    verify(secret, request);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_21_types_arrives_signed_and_byte_for_byte() {
    let stage = Stage::new(&[]).await;
    let types = EventType::ALL.iter();
    let events: Vec<Event> = types.map(|t| event(Environment::Production, *t)).collect();

    for event in &events {
        stage.publish(event).await;
    }
    let rows = stage.ended(21).await;

    let received = stage.receiver.received();
    assert_eq!(received.len(), 21);
    for event in &events {
        assert_arrived(&received, event, &stage.secret);
    }
    for row in rows {
        assert_eq!(row.status, DeliveryStatus::Succeeded);
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_arrives_exactly_as_it_was_sent() {
    let stage = Stage::new(&[]).await;
    let data = r#"{"a":1e400,"b": 9007199254740993,"a":"\ud83d\ude00 é","c":{"d":[ ]}}"#;
    let event = event_with(Environment::Production, EventType::TelemetryReceived, data);

    stage.publish(&event).await;
    stage.ended(1).await;

    assert_eq!(stage.receiver.received()[0].body, event.body);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_is_retried_until_it_is_accepted() {
    let stage = Stage::new(&[500, 302]).await;

    stage
        .publish(&event(Environment::Production, EventType::LicenseActivated))
        .await;
    let rows = stage.ended(1).await;

    let received = stage.receiver.received();
    let numbers: Vec<_> = received
        .iter()
        .map(|r| r.headers["x-webhook-attempt"].as_str())
        .collect();
    assert_eq!(numbers, ["1", "2", "3"]);
    assert_eq!(
        (rows[0].status, rows[0].attempts),
        (DeliveryStatus::Succeeded, 3)
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_without_attempts_left_fails() {
    let stage = Stage::new(&[500, 500, 500]).await;

    stage
        .publish(&event(Environment::Production, EventType::LicenseActivated))
        .await;
    let rows = stage.ended(1).await;

    assert_eq!(
        (rows[0].status, rows[0].attempts),
        (DeliveryStatus::Failed, 3)
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_event_does_not_block_the_events_after() {
    let stage = Stage::new(&[]).await;
    let mut broken = event(Environment::Production, EventType::ProductCreated);
    broken.body = "not an event".into();

    stage.publish(&broken).await;
    stage
        .publish(&event(Environment::Production, EventType::ProductUpdated))
        .await;
    let rows = stage.ended(1).await;

    assert_eq!(rows[0].event_type, EventType::ProductUpdated);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_tells_why_it_failed() {
    let stage = Stage::scripted(vec![Answer::Hang, Answer::Reset]).await;

    stage
        .publish(&event(Environment::Production, EventType::LicenseCreated))
        .await;
    let rows = stage.ended(1).await;

    let mut connection = stage.world.database.connection().await;
    let attempts = attempts::list(&mut connection, rows[0].id).await;
    let classes: Vec<_> = attempts
        .expect("the attempts are read")
        .iter()
        .map(|(a, _)| a.failure_class)
        .collect();
    let (timeout, reset) = (FailureClass::Timeout, FailureClass::Reset);
    assert_eq!(classes, [Some(timeout), Some(reset), None]);
    drop(connection);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_410_response_disables_the_webhook() {
    let stage = Stage::new(&[410]).await;

    stage
        .publish(&event(Environment::Production, EventType::LicenseCreated))
        .await;
    let rows = stage.ended(1).await;

    assert_eq!(
        (rows[0].status, rows[0].attempts),
        (DeliveryStatus::Failed, 1)
    );
    let inactive = async || {
        let mut connection = stage.world.database.connection().await;
        let found = webhooks::find(&mut connection, rows[0].webhook_id).await;
        found.expect("the webhook is read")?.disabled_reason
    };
    let world = &stage.world;
    let reason = world.eventually("the webhook is Inactive", inactive);
    let reason = reason.await;
    assert!(reason.contains("410"), "{reason}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lets_a_running_attempt_end_and_costs_none() {
    let slow = Answer::After(Duration::from_millis(300));
    let stage = Stage::scripted(vec![slow]).await;
    stage
        .publish(&event(Environment::Production, EventType::LicenseCreated))
        .await;
    stage.receiver.arrived(1).await;

    let world = stage.stop().await;

    let row = "SELECT concat_ws(' ', status, attempts) FROM deliveries";
    let row: String = world.database.ask(row).await;
    assert_eq!(row, "succeeded 1", "status and attempts");
    world.end().await;
}
