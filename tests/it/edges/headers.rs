use std::time::Duration;

use webhook_tests::{Broker, Service, Stranger, StrangersMessage};

use super::{arrive, good, platform, rejected};

/// Characters of a header with which the headers of a message just fit a frame of RabbitMQ (131,072 bytes
/// by default). With the 26 bytes of a count of returns, the headers do not fit any more.
const FILLS_A_FRAME: usize = 131_030;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_a_header_of_40000_characters_is_delivered() {
    let (platform, receiver, stranger) = platform().await;
    let (events, messages) = good(3);
    let messages = [
        messages[0].clone(),
        messages[1].clone().with_header("x-a", 40_000),
        messages[2].clone().with_header("x-a", FILLS_A_FRAME),
    ];

    stranger.publish_all(&messages).await;

    arrive(&platform, &receiver, &events, Duration::from_secs(2)).await;
    rejected(&platform, 0).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_an_event_and_with_a_large_header_is_rejected_once() {
    let (platform, receiver, stranger) = platform().await;
    let (events, messages) = good(1);
    let wrong = StrangersMessage::event("not json").with_header("x-a", FILLS_A_FRAME);
    let named = |name: &str| {
        let wrong = StrangersMessage::event("nor this");
        wrong
            .with_header(name, 60_000)
            .with_header("x-original-routing-key", 60_000)
    };

    stranger
        .publish_all(&[wrong, named("x-original-exchange")])
        .await;
    stranger.publish_all(&messages).await;

    arrive(&platform, &receiver, &events, Duration::from_secs(2)).await;
    let rows = rejected(&platform, 2).await;
    assert_eq!(rows[0]["exchange"].as_str().map(str::len), Some(255));
    assert_eq!(rows[1]["routing_key"], "production.license.activated");
    platform.end().await;
}

/// Publishes a message that comes back once. The broker adds a count to the headers, and no consumer
/// can take the message any more.
async fn publish_unreadable(broker: &Broker, stranger: &Stranger) {
    let unreadable = StrangersMessage::event("{}").with_header("x-a", FILLS_A_FRAME);
    stranger.publish_all(&[unreadable]).await;
    assert_eq!(broker.leave_with_a_message().await, 0);
}

/// A message straight into the rejected queue.
fn dead_letter() -> StrangersMessage {
    StrangersMessage {
        exchange: String::new(),
        routing_key: "webhooks.events.rejected".to_owned(),
        ..StrangersMessage::event("not json")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_too_large_for_every_consumer_blocks_neither_queue_and_is_not_lost() {
    let (mut platform, receiver, stranger) = platform().await;
    platform.world.broker.give_up_after(3).await;
    assert!(platform.dispatcher.terminate().await);
    publish_unreadable(&platform.world.broker, &stranger).await;
    let (events, messages) = good(5);
    stranger.publish_all(&messages).await;

    platform.dispatcher = Service::dispatcher(&platform.world);

    arrive(&platform, &receiver, &events, Duration::from_secs(15)).await;
    let broker = &platform.world.broker;
    let parked = async || broker.messages_in("webhooks.events.unreadable").await == 1;
    platform.until("the message is parked", parked).await;
    stranger.publish_all(&[dead_letter()]).await;
    rejected(&platform, 1).await;
    platform.end().await;
}
