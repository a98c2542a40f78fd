//! The broker crate against a real RabbitMQ.

use std::convert::Infallible;
use std::sync::atomic::AtomicU16;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use webhook_broker::{Cluster, Consumer, Message, Publisher, Queue, consume};
use webhook_domain::{Environment, Event, EventType};
use webhook_tests::{World, event, events};

/// A world, with a publisher for the events of a test.
struct Published {
    world: World,
    cluster: Cluster,
    publisher: Publisher,
    cancel: CancellationToken,
}

impl Published {
    /// Makes the world and connects the publisher.
    async fn new() -> Self {
        let world = World::new().await;
        let cluster: Cluster = world.broker.url.parse().expect("a broker's URL");
        let cancel = CancellationToken::new();
        let publisher = Publisher::start(cluster.clone(), "test publisher", cancel.clone());
        world
            .until("the publisher connects", async || publisher.is_connected())
            .await;
        Self {
            world,
            cluster,
            publisher,
            cancel,
        }
    }

    /// Publishes events in order, and waits for the confirmations.
    async fn publish(&self, events: &[Event]) {
        let confirmed = self.publisher.publish_all(events).await;
        assert!(confirmed.iter().all(Result::is_ok), "the broker confirms");
    }

    /// Consumes a queue, with at most `max_prefetch` messages in hand.
    async fn consume(&self, queue: Queue, max_prefetch: u16) -> Consumer {
        let max_prefetch = Arc::new(AtomicU16::new(max_prefetch));
        let consumer = consume(&self.cluster, queue, "test", max_prefetch).await;
        consumer.expect("the queue is consumed")
    }

    /// Takes events from the queue and leaves without an acknowledgement, again and again.
    async fn take_and_leave(&self) -> Infallible {
        loop {
            let mut consumer = self.consume(Queue::Events, 10).await;
            let _ = consumer.next_batch(10).await;
            consumer.close().await;
        }
    }

    async fn end(self) {
        self.cancel.cancel();
        self.world.end().await;
    }
}

/// Acknowledges messages.
async fn acknowledge(consumer: &mut Consumer, messages: &[Message]) {
    let tags: Vec<u64> = messages.iter().map(|m| m.delivery_tag).collect();
    let acknowledged = consumer.acknowledge(&tags).await;
    acknowledged.expect("the messages are acknowledged");
}

/// The bodies of events.
fn bodies(events: &[Event]) -> Vec<Bytes> {
    events.iter().map(|event| event.body.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_event_arrives_byte_for_byte_and_in_order() {
    let published = Published::new().await;
    let events = events(200);

    published.publish(&events).await;
    let mut consumer = published.consume(Queue::Events, 500).await;
    let mut arrived = Vec::new();
    while arrived.len() < events.len() {
        let batch = consumer.next_batch(50).await.expect("a batch");
        acknowledge(&mut consumer, &batch).await;
        arrived.extend(batch.into_iter().map(|message| message.body));
    }

    assert!(arrived == bodies(&events), "byte for byte and in order");
    consumer.close().await;
    published.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_messages_without_an_acknowledgement_come_again() {
    let published = Published::new().await;
    let events = events(2);
    published.publish(&events).await;

    let mut first = published.consume(Queue::Events, 10).await;
    let message = first.next_batch(1).await.expect("a batch");
    acknowledge(&mut first, &message).await;
    first.close().await;
    let mut second = published.consume(Queue::Events, 10).await;
    let again = second.next_batch(10).await.expect("a batch");

    assert_eq!(again.len(), 1);
    assert_eq!(again[0].body, events[1].body);
    second.close().await;
    published.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_tells_the_reason_and_the_place_of_its_publication() {
    let published = Published::new().await;
    let event = event(Environment::Staging, EventType::LicenseExpired);
    published.world.broker.give_up_early().await;
    published.publish(std::slice::from_ref(&event)).await;

    let mut dead = published.consume(Queue::Rejected, 10).await;
    let batch = tokio::select! {
        batch = dead.next_batch(10) => batch.expect("a batch"),
        never = published.take_and_leave() => match never {},
    };

    let (reason, origin) = (&batch[0].rejection.reason, &batch[0].published_to);
    assert_eq!(batch[0].body, event.body);
    assert!(reason.as_str().contains("never acknowledged"));
    assert_eq!(origin.exchange.as_str(), "webhooks.events");
    assert_eq!(origin.routing_key.as_str(), "staging.license.expired");
    dead.close().await;
    published.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_node_is_used_while_the_first_is_away() {
    let published = Published::new().await;
    let nodes = format!("amqp://127.0.0.1:1/,{}", published.world.broker.url);
    let cluster: Cluster = nodes.parse().expect("two URLs");
    let cancel = CancellationToken::new();

    let publisher = Publisher::start(cluster.clone(), "test", cancel.clone());
    let connects = async || publisher.is_connected();
    published
        .world
        .until("the publisher connects", connects)
        .await;
    let prefetch = Arc::new(AtomicU16::new(10));
    let consumer = consume(&cluster, Queue::Events, "test", prefetch).await;

    assert!(publisher.publish(&events(1)[0]).await.is_ok());
    let mut consumer = consumer.expect("the second node hands messages out");
    assert_eq!(consumer.next_batch(1).await.expect("a batch").len(), 1);
    consumer.close().await;
    cancel.cancel();
    published.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_no_event_is_confirmed() {
    let cancel = CancellationToken::new();
    let nowhere: Cluster = "amqp://guest:guest@127.0.0.1:1/%2f".parse().expect("a URL");
    let publisher = Publisher::start(nowhere, "test", cancel.clone());

    let refused = publisher.publish(&events(1)[0]).await;

    assert!(refused.is_err());
    cancel.cancel();
}

/// How long a worker waits for messages before a look whether the workers together have done all.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Takes messages, notes the bodies in `done` in the order of the work, and acknowledges the messages,
/// until `done` has `all` bodies of the workers together.
async fn work(mut consumer: Consumer, done: &Mutex<Vec<Bytes>>, all: usize) {
    loop {
        let batch = tokio::time::timeout(LOOK_AGAIN, consumer.next_batch(500)).await;
        let batch = batch.map_or(Vec::new(), |batch| batch.expect("a batch"));
        let returned = batch.iter().filter(|message| message.delivery_count > 0);
        assert_eq!(returned.count(), 0, "returned messages");
        {
            let mut done = done.lock().expect("no panic");
            done.extend(batch.iter().map(|message| message.body.clone()));
            if done.len() == all && batch.is_empty() {
                return;
            }
        }
        acknowledge(&mut consumer, &batch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_take_more_and_more_return_no_message_and_keep_the_order() {
    const EVENTS: usize = 3_000;
    let published = Published::new().await;
    let events = events(EVENTS);
    published.publish(&events).await;
    let first = published.consume(Queue::Events, 1_000).await;
    let second = published.consume(Queue::Events, 1_000).await;

    let done = Mutex::new(Vec::new());
    let both = async { tokio::join!(work(first, &done, EVENTS), work(second, &done, EVENTS)) };
    let ended = tokio::time::timeout(Duration::from_secs(20), both).await;

    assert!(ended.is_ok(), "all events come in time");
    let done = done.into_inner().expect("no panic");
    assert!(done == bodies(&events), "in order");
    published.end().await;
}
