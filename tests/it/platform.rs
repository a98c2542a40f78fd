//! Both programs, through public doors: HTTP and AMQP in, a recording receiver out.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook_domain::{Environment, Event, EventPattern, EventType, RetryPolicy};
use webhook_tests::{Answer, Platform, Receiver, Service, event, fields_of, text_of};

/// An event of each type in each environment.
fn one_of_each() -> Vec<Event> {
    let environments = Environment::ALL.iter();
    let events = environments.flat_map(|e| EventType::ALL.iter().map(|t| event(*e, *t)));
    events.collect()
}

/// A webhook and the webhook's own receiver.
struct Subscriber {
    receiver: Receiver,
    environment: Environment,
    status: &'static str,
    pattern: &'static str,
}

impl Subscriber {
    /// The bodies of the events for the webhook, in alphabetical order.
    fn share(&self, events: &[Event]) -> Vec<Vec<u8>> {
        let pattern: EventPattern = self.pattern.parse().expect("a pattern");
        let types: HashSet<_> = pattern.types().collect();
        let owed = events.iter().filter(|event| {
            self.status == "active"
                && event.environment == self.environment
                && types.contains(&event.event_type)
        });
        let mut share: Vec<_> = owed.map(|event| event.body.to_vec()).collect();
        share.sort();
        share
    }

    /// The received bodies, in alphabetical order.
    fn arrived(&self) -> Vec<Vec<u8>> {
        let received = self.receiver.received().into_iter();
        let mut arrived: Vec<_> = received.map(|request| request.body).collect();
        arrived.sort();
        arrived
    }
}

/// Webhooks that differ in environment, selection and status.
async fn differing_webhooks(platform: &Platform) -> Vec<Subscriber> {
    let mut subscribers = Vec::new();
    for (environment, status, pattern) in [
        (Environment::Production, "active", "*"),
        (Environment::Production, "active", "license.*"),
        (Environment::Production, "active", "telemetry.flagged"),
        (Environment::Production, "inactive", "*"),
        (Environment::Staging, "active", "contract.*"),
        (Environment::Development, "active", "*"),
    ] {
        let receiver = Receiver::answering(&[]).await;
        platform
            .create_webhook(&receiver.url, environment.as_str(), status, &[pattern])
            .await;
        subscribers.push(Subscriber {
            receiver,
            environment,
            status,
            pattern,
        });
    }
    subscribers
}

/// Waits for all deliveries, and asserts that each receiver got exactly the webhook's share.
async fn assert_shares(platform: &Platform, subscribers: &[Subscriber], events: &[Event]) {
    let owed = subscribers.iter().map(|s| s.share(events).len()).sum();
    platform.deliveries_become("succeeded", owed).await;

    for subscriber in subscribers {
        let (environment, pattern) = (subscriber.environment, subscriber.pattern);
        let exact = subscriber.arrived() == subscriber.share(events);
        assert!(exact, "{environment} {pattern}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_over_http_reach_exactly_the_webhooks_that_want_them() {
    let platform = Platform::new().await;
    let webhooks = differing_webhooks(&platform).await;
    let events = one_of_each();

    for event in &events {
        platform.publish_event(event).await;
    }

    assert_shares(&platform, &webhooks, &events).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_over_amqp_reach_exactly_the_webhooks_that_want_them() {
    let platform = Platform::new().await;
    let webhooks = differing_webhooks(&platform).await;
    let (events, cancel) = (one_of_each(), CancellationToken::new());

    let publisher = platform.publisher(&cancel).await;
    let confirmed = publisher.publish_all(&events).await;

    assert!(confirmed.iter().all(Result::is_ok));
    assert_shares(&platform, &webhooks, &events).await;
    cancel.cancel();
    platform.end().await;
}

/// Publishes events over AMQP in the background. The task ends when the broker has confirmed each.
async fn publish_in_background(
    platform: &Platform,
    cancel: &CancellationToken,
    events: &[Event],
) -> JoinHandle<()> {
    let publisher = platform.publisher(cancel).await;
    let events = events.to_vec();
    tokio::spawn(async move {
        let confirmed = publisher.publish_all(&events).await;
        assert!(confirmed.iter().all(Result::is_ok));
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_dispatcher_loses_no_event() {
    let mut platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;
    let events: Vec<Event> = (0..2_000)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect();
    let cancel = CancellationToken::new();

    let publishing = publish_in_background(&platform, &cancel, &events).await;
    let some = async || (receiver.count() > 100).then_some(());
    platform.world.eventually("some are delivered", some).await;
    platform.dispatcher.kill().await;
    let before = receiver.count();
    platform.dispatcher = Service::dispatcher(&platform.world);
    publishing.await.expect("every event is confirmed");

    let (world, database) = (&platform.world, &platform.world.database);
    let delivered = || database.delivered();
    world.becomes("deliveries", 2_000, delivered).await;
    assert!(before < 2_000, "the kill came after the last delivery");
    assert!(events.iter().all(|event| receiver.has(&event.body)));
    cancel.cancel();
    platform.end().await;
}

/// A platform with a delivery, whose attempt hangs for up to 30 s in a dispatcher with leases as in
/// production; and the receiver.
async fn with_hanging_attempt() -> (Platform, Receiver) {
    let mut platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Hang).await;
    platform.webhook_to(&receiver).create().await;
    let patient = RetryPolicy {
        timeout: Duration::from_secs(30),
        ..RetryPolicy::default()
    };
    platform.world.database.set_retry_policy(&patient).await;
    let dispatcher = Service::patient_dispatcher(&platform.world);
    platform.replace_dispatcher(dispatcher).await;
    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    receiver.arrived(1).await;
    (platform, receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_drain_at_once_and_costs_no_attempt() {
    let (mut platform, receiver) = with_hanging_attempt().await;

    let began = Instant::now();
    let next = Service::patient_dispatcher(&platform.world);
    let draining = std::mem::replace(&mut platform.dispatcher, next);
    let ended_well = draining.terminate_at_once().await;

    let attempts = platform.world.database.attempts().await;
    assert!(ended_well && began.elapsed() < Duration::from_secs(20));
    assert_eq!(attempts, 0);
    // The next dispatcher makes the attempt again at once.
    receiver.arrived(2).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_message_is_stored_with_its_body_and_its_reason() {
    let platform = Platform::new().await;
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let mut wrong = event(Environment::Production, EventType::ProductCreated);
    wrong.body = r#"{"id":"x", "type":"license.eaten"}"#.into();

    let confirmed = publisher.publish(&wrong).await;
    confirmed.expect("the broker confirms the message");
    let set_aside = async || platform.world.database.rejected().await.pop();
    let world = &platform.world;
    let rejected = world.eventually("the message is set aside", set_aside);
    let (message, body) = rejected.await;

    assert_eq!(body, wrong.body);
    for field in ["id:", "type:", "environment:", "timestamp:", "data:"] {
        assert!(message.reason.contains(field), "{}", message.reason);
    }
    cancel.cancel();
    platform.end().await;
}

/// An event with an unknown type and environment, and without data.
fn wrong_event() -> Value {
    json!({"type": "license.eaten", "environment": "moon"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_event_over_http_is_a_problem_that_names_each_field() {
    let platform = Platform::new().await;

    let (status, problem) = platform.post("/api/v1/events", &wrong_event()).await;

    assert_eq!(status, 422);
    assert_eq!(fields_of(&problem), ["type", "environment", "data"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_over_http_of_more_than_256_kb_is_refused() {
    let platform = Platform::new().await;

    let large = json!({"type": "license.created", "environment": "staging",
        "data": {"text": "x".repeat(256 * 1024)}});
    let (status, _) = platform.post("/api/v1/events", &large).await;

    assert_eq!(status, 413);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_event_of_a_batch_is_refused_alone() {
    let platform = Platform::new().await;

    let good = json!({"type": "license.created", "environment": "staging", "data": {}});
    let batch = json!({"events": [wrong_event(), good]});
    let (status, answer) = platform.post("/api/v1/events/batch", &batch).await;

    assert_eq!(status, 200);
    assert_eq!(answer["results"][0]["status"], "refused");
    assert_eq!(answer["results"][1]["status"], "accepted");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_broker_does_not_confirm_is_answered_503() {
    let (platform, proxy) = Platform::behind_proxy().await;
    let event = event(Environment::Production, EventType::LicenseActivated);

    proxy.silence();
    let request = platform.request(Method::POST, "/api/v1/events");
    let request = request.header("Content-Type", "application/json");
    let sent = request.body(event.body).send().await;
    let answer = sent.expect("the API answers");

    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "5");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_read_publish_and_manage_as_far_as_its_role_allows() {
    let mut platform = Platform::new().await;
    let body = text_of(&event(Environment::Production, EventType::LicenseActivated));

    for (role, read, publish, manage) in [
        ("viewer", 200, 403, 403),
        ("publisher", 403, 202, 403),
        ("admin", 200, 202, 422),
        ("owner", 200, 202, 422),
    ] {
        platform.key = Service::new_key(&platform.world, role).await;
        let mut answers = Vec::new();
        for (method, path, body) in [
            (Method::GET, "/api/v1/webhooks", None),
            (Method::POST, "/api/v1/events", Some(body.clone())),
            (Method::POST, "/api/v1/webhooks", Some("{}".to_owned())),
        ] {
            answers.push(platform.ask(method, path, body).await.0.as_u16());
        }
        assert_eq!(answers, [read, publish, manage], "{role}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_shows_its_attempts() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    platform.webhook_to(&receiver).create().await;

    platform.take_in(EventType::ContractUpdated).await;
    platform.deliveries_become("succeeded", 1).await;
    let page = platform.get("/api/v1/deliveries").await;
    let id = page["data"][0]["id"]
        .as_str()
        .expect("a delivery has an id");
    let delivery = platform.get(&format!("/api/v1/deliveries/{id}")).await;

    assert_eq!(delivery["attempt_count"], 2);
    assert_eq!(delivery["attempts"][0]["response_status"], 500);
    assert_eq!(delivery["attempts"][0]["failure_class"], "status");
    assert_eq!(delivery["attempts"][1]["response_body"], "ok");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_shows_its_secret_at_its_creation_only() {
    let platform = Platform::new().await;

    let webhook = platform.webhook("CRM").create().await;
    let list = platform.get("/api/v1/webhooks").await;

    assert!(webhook.secret.starts_with("whsec_"));
    assert!(!list.to_string().contains("whsec_"), "{list}");
    platform.end().await;
}
