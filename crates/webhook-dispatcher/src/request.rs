//! One signed request to a webhook.

use std::time::{Duration, Instant};

use chrono::{SubsecRound, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response};
use webhook_domain::{AddressPolicy, FailureClass, HeaderSecret, Outcome, sign};
use webhook_store::attempts::Attempt;
use webhook_store::destinations::Destination;

use crate::answer::{failed, read};
use crate::leased::Leased;
use crate::target;

/// What is recorded of an attempt, and how it ended.
pub(crate) struct Answer {
    pub(crate) attempt: Attempt,
    pub(crate) outcome: Outcome,
}

/// Makes one attempt. It ends within `timeout`, whatever the receiver does.
pub(crate) async fn attempt(
    client: &Client,
    addresses: &AddressPolicy,
    destination: &Destination,
    leased: &Leased,
    timeout: Duration,
) -> Answer {
    let number = leased.attempts + 1;
    let (started_at, clock) = (Utc::now().trunc_subsecs(6), Instant::now());
    let mut attempt = Attempt {
        delivery_id: leased.id,
        number,
        started_at,
        duration_ms: 0,
        response_status: None,
        response_headers: Vec::new(),
        response_body: Vec::new(),
        response_body_truncated: false,
        failure_class: None,
        failure_detail: None,
    };
    let exchange = exchange(client, addresses, destination, leased, &mut attempt);
    let outcome = match tokio::time::timeout(timeout, exchange).await {
        Ok(outcome) => outcome,
        Err(_) => failed(
            &mut attempt,
            FailureClass::Timeout,
            "the receiver took too long",
            None,
        ),
    };
    attempt.duration_ms = i32::try_from(clock.elapsed().as_millis()).unwrap_or(i32::MAX);
    Answer { attempt, outcome }
}

async fn exchange(
    client: &Client,
    addresses: &AddressPolicy,
    destination: &Destination,
    leased: &Leased,
    attempt: &mut Attempt,
) -> Outcome {
    if target::is_blocked_literal(&destination.url, addresses) {
        let detail = "the URL's address must not be called";
        return failed(attempt, FailureClass::BlockedAddress, detail, None);
    }
    match send(client, destination, leased, attempt.number).await {
        Ok(response) => read(response, attempt).await,
        Err(error) => failed(
            attempt,
            target::failure_class(&error),
            &target::describe(&error),
            None,
        ),
    }
}

async fn send(
    client: &Client,
    destination: &Destination,
    leased: &Leased,
    number: i32,
) -> reqwest::Result<Response> {
    let event = &leased.event;
    let now = Utc::now();
    let timestamp = now.timestamp();
    let secrets = destination.secrets.valid_at(now);
    let signatures = sign(secrets, event.id, timestamp, &event.body);
    let mut request = client
        .post(&destination.url)
        .header(CONTENT_TYPE, "application/json")
        .header("X-Webhook-Signature", signatures.platform)
        .header("webhook-id", event.id.to_string())
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signatures.standard)
        .header("X-Webhook-Event", event.event_type.as_str())
        .header("X-Webhook-Environment", event.environment.as_str())
        .header("X-Webhook-Delivery", leased.id.to_string())
        .header("X-Webhook-Attempt", number)
        .body(event.body.clone());
    for (name, value) in destination.headers.iter() {
        if let HeaderSecret::Given(value) = value {
            request = request.header(name.as_str(), value.reveal());
        }
    }
    request.send().await
}
