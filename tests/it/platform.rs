//! Both programs, through their public doors: HTTP and AMQP in, a recording receiver out.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use webhook_domain::{Environment, Event, EventPattern, EventType, RetryPolicy};
use webhook_tests::{Answer, Platform, Proxy, Receiver, Service, World, event};

fn bodies(receiver: &Receiver) -> Vec<Vec<u8>> {
    let mut bodies: Vec<_> = receiver.received().into_iter().map(|r| r.body).collect();
    bodies.sort();
    bodies
}

/// One event of each type in each environment.
fn one_of_each() -> Vec<Event> {
    let environments = Environment::ALL.iter();
    let events = environments.flat_map(|e| EventType::ALL.iter().map(|t| event(*e, *t)));
    events.collect()
}

/// Webhooks that differ in environment, subscription and status, each with its own receiver.
async fn differing_webhooks(
    platform: &Platform,
) -> Vec<(Receiver, Environment, bool, &'static str)> {
    let mut webhooks = Vec::new();
    for (environment, active, pattern) in [
        (Environment::Production, true, "*"),
        (Environment::Production, true, "license.*"),
        (Environment::Production, true, "telemetry.flagged"),
        (Environment::Production, false, "*"),
        (Environment::Staging, true, "contract.*"),
        (Environment::Development, true, "*"),
    ] {
        let receiver = Receiver::answering(&[]).await;
        let status = if active { "active" } else { "inactive" };
        platform
            .create_webhook(&receiver.url, environment.as_str(), status, &[pattern])
            .await;
        webhooks.push((receiver, environment, active, pattern));
    }
    webhooks
}

/// Waits for all that is owed, and asserts that each receiver got exactly its share.
async fn assert_shares(
    platform: &Platform,
    webhooks: &[(Receiver, Environment, bool, &str)],
    events: &[Event],
) {
    let shares: Vec<Vec<Vec<u8>>> = webhooks
        .iter()
        .map(|(_, environment, active, pattern)| {
            let pattern: EventPattern = pattern.parse().expect("a pattern");
            let types: HashSet<_> = pattern.types().collect();
            let mine = |e: &&Event| {
                *active && e.environment == *environment && types.contains(&e.event_type)
            };
            let mut share: Vec<_> = events
                .iter()
                .filter(mine)
                .map(|e| e.body.to_vec())
                .collect();
            share.sort();
            share
        })
        .collect();
    let owed: usize = shares.iter().map(Vec::len).sum();

    let settled = async || (platform.count("succeeded").await == owed).then_some(());
    platform
        .world
        .eventually("everything is delivered", settled)
        .await;

    for ((receiver, environment, _, pattern), share) in webhooks.iter().zip(shares) {
        assert!(bodies(receiver) == share, "{environment} {pattern}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_over_http_reach_exactly_the_webhooks_that_want_them() {
    let platform = Platform::new().await;
    let webhooks = differing_webhooks(&platform).await;
    let events = one_of_each();

    for event in &events {
        let body = String::from_utf8(event.body.to_vec()).expect("text");
        let (status, answer) = platform
            .ask(Method::POST, "/api/v1/events", Some(body))
            .await;
        assert_eq!(status, 202, "{answer}");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_dispatcher_loses_nothing() {
    let mut platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    let events: Vec<Event> = (0..2_000)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect();
    let cancel = CancellationToken::new();

    let publisher = platform.publisher(&cancel).await;
    let published = tokio::spawn({
        let events = events.clone();
        async move { publisher.publish_all(&events).await }
    });
    let some = async || (receiver.received().len() > 100).then_some(());
    platform.world.eventually("some are delivered", some).await;
    platform.dispatcher.kill().await;
    let before = receiver.received().len();
    platform.dispatcher = Service::dispatcher(&platform.world);

    assert!(published.await.expect("no panic").iter().all(Result::is_ok));
    let settled = async || (platform.world.database.delivered().await == 2_000).then_some(());
    platform
        .world
        .eventually("the log says succeeded for each", settled)
        .await;
    let mut arrivals: HashMap<Vec<u8>, usize> = HashMap::new();
    for body in bodies(&receiver) {
        *arrivals.entry(body).or_default() += 1;
    }
    assert!(before < 2_000, "the kill came too late to prove anything");
    assert!(
        events
            .iter()
            .all(|e| arrivals.contains_key(e.body.as_ref()))
    );
    cancel.cancel();
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_drain_at_once_and_costs_no_attempt() {
    let mut platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::After(Duration::from_secs(60))).await;
    platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    let body = event(Environment::Production, EventType::LicenseActivated).body;
    let body = String::from_utf8(body.to_vec()).expect("text");
    let patient = RetryPolicy {
        timeout: Duration::from_secs(30),
        ..RetryPolicy::default()
    };
    platform.world.database.set_retry_policy(&patient).await;
    let dispatcher = Service::patient_dispatcher(&platform.world);
    std::mem::replace(&mut platform.dispatcher, dispatcher)
        .kill()
        .await;
    platform
        .ask(Method::POST, "/api/v1/events", Some(body))
        .await;
    let arrived = async || (receiver.count() == 1).then_some(());
    platform
        .world
        .eventually("the request arrives", arrived)
        .await;

    let began = std::time::Instant::now();
    let next = Service::patient_dispatcher(&platform.world);
    let dispatcher = std::mem::replace(&mut platform.dispatcher, next);
    let ended_well = dispatcher.terminate_at_once().await;

    let attempts: i64 = platform.world.database.attempts().await;
    assert!(ended_well && began.elapsed() < Duration::from_secs(20));
    assert_eq!(attempts, 0);
    let again = async || (receiver.count() == 2).then_some(());
    platform
        .world
        .eventually("it is tried again at once", again)
        .await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_message_keeps_its_body_and_tells_its_reason() {
    let platform = Platform::new().await;
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let mut wrong = event(Environment::Production, EventType::ProductCreated);
    wrong.body = r#"{"id":"x", "type":"license.eaten"}"#.into();

    publisher.publish(&wrong).await.expect("it is confirmed");
    let set_aside = async || platform.world.database.rejected().await.pop();
    let (message, body) = platform
        .world
        .eventually("it is set aside", set_aside)
        .await;

    assert_eq!(body, wrong.body);
    for field in ["id:", "type:", "environment:", "timestamp:", "data:"] {
        assert!(message.reason.contains(field), "{}", message.reason);
    }
    cancel.cancel();
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_over_http_is_a_problem_that_names_each_field() {
    let platform = Platform::new().await;

    let wrong = json!({"type": "license.eaten", "environment": "moon"});
    let (status, problem) = platform.post("/api/v1/events", &wrong).await;
    let large = json!({"type": "license.created", "environment": "staging",
        "data": {"text": "x".repeat(256 * 1024)}});
    let (too_large, _) = platform.post("/api/v1/events", &large).await;
    let batch = json!({"events": [wrong, {"type": "license.created", "environment": "staging", "data": {}}]});
    let (batch_status, results) = platform.post("/api/v1/events/batch", &batch).await;

    let fields = problem["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|e| e["field"].clone());
    assert_eq!(
        (status, too_large, batch_status),
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::OK
        )
    );
    assert_eq!(fields.collect::<Vec<_>>(), ["type", "environment", "data"]);
    assert_eq!(results["results"][0]["status"], "refused");
    assert_eq!(results["results"][1]["status"], "accepted");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_broker_does_not_confirm_is_answered_503() {
    let world = World::new().await;
    let mut amqp_url: url::Url = world.broker.url.parse().expect("a URL");
    let proxy = Proxy::to(amqp_url.port().unwrap_or(5672)).await;
    amqp_url.set_port(Some(proxy.port)).expect("a port");
    let platform = Platform::with_broker(world, amqp_url.as_str()).await;
    let url = format!("{}/api/v1/events", platform.api.url);
    let event = event(Environment::Production, EventType::LicenseActivated);

    proxy.silence();
    let request = platform.client.post(url).bearer_auth(&platform.key);
    let request = request.header("Content-Type", "application/json");
    let answer = request.body(event.body).send().await.expect("an answer");

    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "5");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_do_what_its_role_allows_and_no_more() {
    let mut platform = Platform::new().await;
    let body = event(Environment::Production, EventType::LicenseActivated).body;
    let body = String::from_utf8(body.to_vec()).expect("text");

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
async fn a_delivery_shows_its_attempts_and_a_webhook_never_its_secret() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let created = platform
        .create_webhook(&receiver.url, "staging", "active", &["*"])
        .await;
    let sent = event(Environment::Staging, EventType::ContractUpdated);
    let sent = String::from_utf8(sent.body.to_vec()).expect("text");

    platform
        .ask(Method::POST, "/api/v1/events", Some(sent))
        .await;
    let settled = async || (platform.count("succeeded").await == 1).then_some(());
    platform.world.eventually("it is delivered", settled).await;
    let (_, page) = platform.ask(Method::GET, "/api/v1/deliveries", None).await;
    let id = page["data"][0]["id"].as_str().expect("an id");
    let (_, delivery) = platform
        .ask(Method::GET, &format!("/api/v1/deliveries/{id}"), None)
        .await;
    let (_, list) = platform.ask(Method::GET, "/api/v1/webhooks", None).await;

    assert_eq!(delivery["attempt_count"], 2);
    assert_eq!(delivery["attempts"][0]["response_status"], 500);
    assert_eq!(delivery["attempts"][0]["failure_class"], "status");
    assert_eq!(delivery["attempts"][1]["response_body"], "ok");
    let secret = created["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("whsec_") && !list.to_string().contains("whsec_"));
    platform.end().await;
}
