//! Input that strangers really send, through the real programs: no input can stop, lose or hide other
//! input. Each test is a case that went wrong once.

// Messages of publishers.
mod encodings;
mod headers;
mod sizes;
mod timestamps;
mod unknown_fields;

// Responses of receivers.
mod answers;

// Input of admins.
mod urls;

// Servers around the services.
mod pgbouncer;
mod postgres;
mod rights;

use std::time::{Duration, Instant};

use serde_json::Value;
use webhook_domain::{Environment, Event, EventType};
use webhook_tests::{Platform, Receiver, Stranger, StrangersMessage, event};

/// Fresh events, and a message with each.
fn good(count: usize) -> (Vec<Event>, Vec<StrangersMessage>) {
    let events: Vec<Event> = (0..count)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect();
    let messages = events
        .iter()
        .map(|event| StrangersMessage::event(event.body.to_vec()));
    let messages = messages.collect();
    (events, messages)
}

/// A platform with a webhook, the receiver of the webhook, and a publisher of any bytes.
async fn platform() -> (Platform, Receiver, Stranger) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    let stranger = Stranger::connect(&platform.world).await;
    (platform, receiver, stranger)
}

/// Waits until `events` have arrived, for at most `within`.
async fn arrive(platform: &Platform, receiver: &Receiver, events: &[Event], within: Duration) {
    let began = Instant::now();
    let all = async || {
        let bodies = receiver.bodies();
        let all = events
            .iter()
            .all(|event| bodies.contains(event.body.as_ref()));
        all.then_some(())
    };
    platform.world.eventually("all events arrive", all).await;
    assert!(began.elapsed() < within, "it took {:?}", began.elapsed());
}

/// Waits until `count` messages are rejected, and returns them, newest first.
async fn rejected(platform: &Platform, count: usize) -> Vec<Value> {
    let listed = async || {
        let page = platform.get("/api/v1/rejected-messages?limit=200").await;
        let rows = page["data"].as_array().expect("a list").clone();
        (rows.len() == count).then_some(rows)
    };
    platform.world.eventually("they are rejected", listed).await
}

fn reason(message: &Value) -> &str {
    message["reason"].as_str().expect("a reason")
}
