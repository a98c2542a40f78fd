//! Input from strangers, through the real programs: no input can stop, lose or hide other input. Each
//! test is a case with a fault in the past.

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
use webhook_domain::Event;
use webhook_tests::{Platform, Receiver, Stranger, StrangersMessage, events};

/// Fresh events, and a message with each.
fn good(count: usize) -> (Vec<Event>, Vec<StrangersMessage>) {
    let events = events(count);
    let messages = events.iter().map(StrangersMessage::of).collect();
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
    assert!(
        began.elapsed() < within,
        "the events took {:?}",
        began.elapsed()
    );
}

/// Waits until `count` messages are rejected, and returns the messages, newest first.
async fn rejected(platform: &Platform, count: usize) -> Vec<Value> {
    let listed = async || {
        let page = platform.get("/api/v1/rejected-messages?limit=200").await;
        let rows = page["data"].as_array().expect("a list").clone();
        (rows.len() == count).then_some(rows)
    };
    let world = &platform.world;
    world.eventually("the messages are rejected", listed).await
}

/// Waits until the dispatcher has logged a line with `text`, and returns the line.
async fn logged(platform: &Platform, text: &str) -> String {
    let line = async || {
        let log = platform.dispatcher.log();
        log.into_iter().find(|line| line.contains(text))
    };
    platform.world.eventually(text, line).await
}

fn reason(message: &Value) -> &str {
    message["reason"].as_str().expect("a reason")
}
