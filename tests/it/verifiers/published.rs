//! The verifiers that receivers take from PyPI, untouched.

use std::process::Command;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use webhook_domain::{Environment, Event, EventType};
use webhook_tests::{Platform, Receiver, event};

use crate::verifiers::installed::{here, installed, must, run};

/// Checks requests with the published verifiers, and tells what they printed.
fn verify(requests: &Value) -> String {
    let script = here().join("verify.py");
    let mut python = Command::new("python");
    let python = python.env("PATH", installed().path()).arg(script);
    must(&run(python, requests.to_string().as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn published_verifiers_accept_what_arrives_and_refuse_a_changed_body() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let created = platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let of = |event_type: &EventType| event(Environment::Production, *event_type);
    let over_amqp: Vec<Event> = EventType::ALL.iter().map(of).collect();

    let confirmed = publisher.publish_all(&over_amqp).await;
    for over_http in EventType::ALL.iter().map(of) {
        let body = String::from_utf8(over_http.body.to_vec()).expect("text");
        let events = "/api/v1/events";
        platform
            .ask(reqwest::Method::POST, events, Some(body))
            .await;
    }
    let arrived = async || (platform.count("succeeded").await == 42).then_some(());
    platform.world.eventually("all 42 arrive", arrived).await;

    assert!(confirmed.iter().all(Result::is_ok));
    let requests: Vec<Value> = receiver
        .received()
        .into_iter()
        .map(|r| json!({"body": String::from_utf8_lossy(&r.body), "headers": r.headers}))
        .collect();
    let asked = json!({"secret": created["secret"], "requests": requests});
    let verified = tokio::task::spawn_blocking(move || verify(&asked)).await;
    let expected = "standardwebhooks 42\nsvix 42\nstripe 42\n";
    assert_eq!(verified.expect("no panic"), expected);
    cancel.cancel();
    platform.end().await;
}
