//! The verifiers on PyPI, untouched.

use std::process::Command;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Platform, Receiver, event};

use crate::verifiers::installed::{here, installed, must, run};

/// Checks requests with the published verifiers, and returns the output.
fn verify(requests: &Value) -> String {
    let script = here().join("verify.py");
    let mut python = Command::new("python");
    let python = python.env("PATH", installed().path()).arg(script);
    must(&run(python, requests.to_string().as_bytes()))
}

/// Publishes an event of each type over AMQP and another event of each type over HTTP, and waits for
/// all deliveries.
async fn publish_each_type_twice(platform: &Platform) {
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    for event_type in EventType::ALL {
        let over_amqp = event(Environment::Production, *event_type);
        let confirmed = publisher.publish(&over_amqp).await;
        confirmed.expect("the broker confirms");
        platform.publish(Environment::Production, *event_type).await;
    }
    platform.delivered(42).await;
    cancel.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn published_verifiers_accept_real_requests_and_refuse_a_changed_body() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let created = platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;

    publish_each_type_twice(&platform).await;

    let received = receiver.received();
    let requests: Vec<Value> = received
        .iter()
        .map(|r| json!({"body": String::from_utf8_lossy(&r.body), "headers": r.headers}))
        .collect();
    let asked = json!({"secret": created["secret"], "requests": requests});
    let verified = tokio::task::spawn_blocking(move || verify(&asked)).await;
    let expected = "standardwebhooks 42\nsvix 42\nstripe 42\n";
    assert_eq!(verified.expect("no panic"), expected);
    platform.end().await;
}
