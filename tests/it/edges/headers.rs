use std::time::Duration;

use webhook_tests::{Platform, Service, Stranger, StrangersMessage};

use super::{arrive, good, platform, rejected};

/// A frame of RabbitMQ has 131,072 bytes by default, and a message's headers must fit one: with this
/// many characters in one of them they do, and with the 26 bytes of a count they do not any more.
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
async fn what_is_no_event_and_has_a_large_header_is_rejected_once() {
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

#[tokio::test(flavor = "multi_thread")]
async fn what_no_consumer_can_be_handed_blocks_neither_queue_and_is_not_lost() {
    let mut platform = Platform::new().await;
    let receiver = webhook_tests::Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    let stranger = Stranger::connect(&platform.world).await;
    platform.world.broker.give_up_after(3).await;
    let (events, messages) = good(5);

    // Once it came back, the broker adds its count to the headers, and they fit no frame any more.
    assert!(platform.dispatcher.terminate().await);
    let unreadable = StrangersMessage::event("{}").with_header("x-a", FILLS_A_FRAME);
    stranger.publish_all(&[unreadable]).await;
    assert_eq!(platform.world.broker.leave_with_a_message().await, 0);
    stranger.publish_all(&messages).await;
    let wrong = StrangersMessage {
        exchange: String::new(),
        routing_key: "webhooks.events.rejected".to_owned(),
        ..StrangersMessage::event("not json")
    };
    platform.dispatcher = Service::dispatcher(&platform.world);

    arrive(&platform, &receiver, &events, Duration::from_secs(15)).await;
    let parked = async || {
        let messages = platform
            .world
            .broker
            .messages_in("webhooks.events.unreadable")
            .await;
        (messages == 1).then_some(())
    };
    platform.world.eventually("it is parked", parked).await;
    stranger.publish_all(&[wrong]).await;
    rejected(&platform, 1).await;
    platform.end().await;
}
