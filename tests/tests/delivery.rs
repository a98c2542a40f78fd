//! From RabbitMQ to a receiver, through the real dispatcher.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_dispatcher::Settings;
use webhook_domain::{
    AddressPolicy, DeliveryStatus, Environment, Event, EventType, FailureClass, RetryPolicy,
    SigningSecret, WebhookStatus,
};
use webhook_store::SealingKey;
use webhook_store::deliveries::{self, DeliveryFilter, DeliveryRow};
use webhook_store::{attempts, webhooks};
use webhook_tests::{
    Answer, Received, Receiver, SEALING_KEY, World, event, event_with, new_secret, store_webhook_at,
};

/// A world with a dispatcher and one webhook that wants everything of production.
struct Stage {
    world: World,
    receiver: Receiver,
    secret: SigningSecret,
    publisher: Publisher,
    dispatcher: JoinHandle<()>,
    cancel: CancellationToken,
}

impl Stage {
    async fn new(statuses: &[u16]) -> Self {
        Self::scripted(statuses.iter().copied().map(Answer::Status).collect()).await
    }

    async fn scripted(answers: Vec<Answer>) -> Self {
        let world = World::new().await;
        let key = SealingKey::parse(SEALING_KEY).expect("a key");
        let (receiver, secret) = (Receiver::scripted(answers).await, new_secret());
        let place = (Environment::Production, WebhookStatus::Active);
        let mut connection = world.connection().await;
        store_webhook_at(&mut connection, &key, &receiver.url, &secret, place, &["*"]).await;
        let cancel = CancellationToken::new();
        let broker: webhook_broker::BrokerUrl = world.amqp_url.parse().expect("a URL");
        let settings = Settings {
            broker: broker.clone(),
            key,
            addresses: AddressPolicy {
                allowed: vec!["127.0.0.0/8".parse().expect("a network")],
            },
            policy: RetryPolicy {
                max_attempts: 3,
                initial_interval: Duration::from_millis(10),
                timeout: Duration::from_millis(500),
                ..RetryPolicy::default()
            },
            lease: Duration::from_secs(60),
            lane_concurrency: 4,
        };
        let run = webhook_dispatcher::run(settings, world.pool.clone(), cancel.clone());
        let dispatcher = tokio::spawn(async move { run.await.expect("it runs") });
        let publisher = Publisher::start(broker, "test", cancel.clone());
        let connected = async || publisher.is_connected().then_some(());
        world.eventually("the publisher connects", connected).await;
        Self {
            world,
            receiver,
            secret,
            publisher,
            dispatcher,
            cancel,
        }
    }

    async fn publish(&self, event: &Event) {
        self.publisher
            .publish(event)
            .await
            .expect("it is confirmed");
    }

    /// Waits until `count` deliveries ended, and reads them.
    async fn ended(&self, count: usize) -> Vec<DeliveryRow> {
        let filter = DeliveryFilter {
            limit: 100,
            ..DeliveryFilter::default()
        };
        let ended = async || {
            let mut connection = self.world.connection().await;
            let rows = deliveries::list(&mut connection, &filter)
                .await
                .expect("it reads");
            let done = rows.iter().filter(|row| row.ended_at.is_some()).count();
            (done == count).then_some(rows)
        };
        self.world.eventually("the deliveries end", ended).await
    }

    async fn end(self) {
        self.cancel.cancel();
        self.dispatcher.await.expect("it drains");
        self.world.end().await;
    }
}

/// Checks the Standard Webhooks signature with that project's own verifier.
fn verify(secret: &SigningSecret, request: &Received) {
    let headers: HeaderMap = request
        .headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header's name");
            (
                name,
                HeaderValue::from_str(value).expect("a header's value"),
            )
        })
        .collect();
    let verifier = standardwebhooks::Webhook::new(secret.reveal()).expect("a secret");
    verifier
        .verify(&request.body, &headers)
        .expect("the signature holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_21_types_arrives_signed_and_byte_for_byte() {
    let stage = Stage::new(&[]).await;
    let events: Vec<Event> = EventType::ALL
        .iter()
        .map(|event_type| event(Environment::Production, *event_type))
        .collect();

    for event in &events {
        stage.publish(event).await;
    }
    let rows = stage.ended(21).await;

    let received = stage.receiver.received();
    for event in &events {
        let request = received.iter().find(|r| r.body == event.body);
        let request = request.expect("it arrived");
        assert_eq!(
            request.headers["x-webhook-event"],
            event.event_type.as_str()
        );
        assert_eq!(request.headers["webhook-id"], event.id.to_string());
        verify(&stage.secret, request);
    }
    assert_eq!(received.len(), 21);
    assert!(
        rows.iter()
            .all(|row| row.status == DeliveryStatus::Succeeded)
    );
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
async fn a_message_that_is_no_event_does_not_block_what_follows() {
    let stage = Stage::new(&[]).await;
    let mut broken = event(Environment::Production, EventType::ProductCreated);
    broken.body = "not an event".into();

    stage.publish(&broken).await;
    stage
        .publish(&event(Environment::Production, EventType::ProductUpdated))
        .await;
    let rows = stage.ended(1).await;

    assert_eq!(rows[0].event_type, "product.updated");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_tells_why_it_failed() {
    let stage = Stage::scripted(vec![Answer::Hang, Answer::Reset]).await;

    stage
        .publish(&event(Environment::Production, EventType::LicenseCreated))
        .await;
    let rows = stage.ended(1).await;

    let mut connection = stage.world.connection().await;
    let attempts = attempts::list(&mut connection, rows[0].id).await;
    let classes: Vec<_> = attempts
        .expect("it reads")
        .iter()
        .map(|a| a.failure_class)
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
        let mut connection = stage.world.connection().await;
        let found = webhooks::find(&mut connection, rows[0].webhook_id).await;
        found.expect("it reads")?.disabled_reason
    };
    let reason = stage.world.eventually("it is set Inactive", inactive).await;
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
    let arrived = async || (stage.receiver.received().len() == 1).then_some(());
    stage.world.eventually("the request arrives", arrived).await;

    stage.cancel.cancel();
    stage.dispatcher.await.expect("it drains");

    let mut connection = stage.world.connection().await;
    let filter = DeliveryFilter {
        limit: 1,
        ..DeliveryFilter::default()
    };
    let rows = deliveries::list(&mut connection, &filter)
        .await
        .expect("it reads");
    assert_eq!(
        (rows[0].status, rows[0].attempts),
        (DeliveryStatus::Succeeded, 1)
    );
    drop(connection);
    stage.world.end().await;
}
