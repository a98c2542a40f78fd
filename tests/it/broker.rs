//! The broker crate against a real RabbitMQ.

use tokio_util::sync::CancellationToken;
use webhook_broker::{BrokerUrl, Publisher, Queue, consume};
use webhook_domain::{Environment, EventType};
use webhook_tests::{World, event};

async fn publisher(world: &World, cancel: &CancellationToken) -> Publisher {
    let publisher = Publisher::start(url(world), "test publisher", cancel.clone());
    world
        .eventually("the publisher connects", async || {
            publisher.is_connected().then_some(())
        })
        .await;
    publisher
}

fn url(world: &World) -> BrokerUrl {
    world.broker.url.parse().expect("a broker's URL")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_event_arrives_byte_for_byte_and_in_order() {
    let world = World::new().await;
    let cancel = CancellationToken::new();
    let publisher = publisher(&world, &cancel).await;
    let events: Vec<_> = (0..200)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect();

    let confirmed = publisher.publish_all(&events).await;
    let mut intake = consume(
        &url(&world),
        Queue::Events,
        "test",
        std::sync::Arc::new(std::sync::atomic::AtomicU16::new(500)),
    )
    .await
    .expect("it consumes");
    let mut arrived = Vec::new();
    while arrived.len() < events.len() {
        let batch = intake.next_batch(50).await.expect("a batch");
        let tags: Vec<u64> = batch.iter().map(|message| message.delivery_tag).collect();
        intake.settle(&tags).await.expect("acknowledged");
        arrived.extend(batch);
    }

    assert!(confirmed.iter().all(Result::is_ok));
    assert!(
        arrived
            .iter()
            .map(|m| &m.body)
            .eq(events.iter().map(|e| &e.body))
    );
    intake.close().await;
    cancel.cancel();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_acknowledged_comes_again_and_what_was_does_not() {
    let world = World::new().await;
    let cancel = CancellationToken::new();
    let publisher = publisher(&world, &cancel).await;
    let events = [(); 2].map(|()| event(Environment::Staging, EventType::ContractCreated));
    publisher.publish(&events[0]).await.expect("confirmed");
    publisher.publish(&events[1]).await.expect("confirmed");

    let mut first = consume(
        &url(&world),
        Queue::Events,
        "first",
        std::sync::Arc::new(std::sync::atomic::AtomicU16::new(10)),
    )
    .await
    .expect("it consumes");
    let message = first.next_batch(1).await.expect("a batch").remove(0);
    first
        .settle(&[message.delivery_tag])
        .await
        .expect("acknowledged");
    first.close().await;
    let mut second = consume(
        &url(&world),
        Queue::Events,
        "second",
        std::sync::Arc::new(std::sync::atomic::AtomicU16::new(10)),
    )
    .await
    .expect("it consumes");
    let again = second.next_batch(10).await.expect("a batch");

    assert_eq!(again.len(), 1);
    assert_eq!(again[0].body, events[1].body);
    second.close().await;
    cancel.cancel();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_tells_why_and_where_it_was_published() {
    let world = World::new().await;
    let cancel = CancellationToken::new();
    let publisher = publisher(&world, &cancel).await;
    let event = event(Environment::Staging, EventType::LicenseExpired);
    world.broker.give_up_early().await;
    publisher.publish(&event).await.expect("confirmed");

    let mut dead = consume(
        &url(&world),
        Queue::Rejected,
        "test",
        std::sync::Arc::new(std::sync::atomic::AtomicU16::new(10)),
    )
    .await
    .expect("it consumes");
    let nobody_acknowledges = async {
        loop {
            let intake = consume(
                &url(&world),
                Queue::Events,
                "test",
                std::sync::Arc::new(std::sync::atomic::AtomicU16::new(10)),
            )
            .await;
            let mut intake = intake.expect("it consumes");
            let _ = intake.next_batch(10).await;
            intake.close().await;
        }
    };
    let batch = tokio::select! {
        batch = dead.next_batch(10) => batch.expect("a batch"),
        () = nobody_acknowledges => unreachable!(),
    };

    let (reason, origin) = (&batch[0].rejection.reason, &batch[0].published_to);
    assert_eq!(batch[0].body, event.body);
    assert!(reason.as_str().contains("never acknowledged"));
    assert_eq!(origin.exchange.as_str(), "webhooks.events");
    assert_eq!(origin.routing_key.as_str(), "staging.license.expired");
    dead.close().await;
    cancel.cancel();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_nothing_is_confirmed() {
    let cancel = CancellationToken::new();
    let nowhere: BrokerUrl = "amqp://guest:guest@127.0.0.1:1/%2f".parse().expect("a URL");
    let publisher = Publisher::start(nowhere, "test", cancel.clone());

    let refused = publisher
        .publish(&event(Environment::Production, EventType::LicenseExpired))
        .await;

    assert!(refused.is_err());
    cancel.cancel();
}

/// Takes what comes, until `all` is known to somebody, and notes it in the order in which it is done.
async fn work(
    mut intake: webhook_broker::Consumer,
    done: &std::sync::Mutex<Vec<Vec<u8>>>,
    all: usize,
) {
    loop {
        let batch = tokio::select! {
            batch = intake.next_batch(500) => batch.expect("a batch"),
            () = tokio::time::sleep(std::time::Duration::from_millis(20)) => Vec::new(),
        };
        let tags: Vec<u64> = batch.iter().map(|message| message.delivery_tag).collect();
        {
            let mut done = done.lock().expect("no panic");
            assert!(batch.iter().all(|message| message.delivery_count == 0));
            done.extend(batch.iter().map(|message| message.body.to_vec()));
            if done.len() == all && tags.is_empty() {
                return;
            }
        }
        intake.settle(&tags).await.expect("it is acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_take_more_and_more_return_nothing_and_keep_the_order() {
    let world = World::new().await;
    let cancel = CancellationToken::new();
    let publisher = publisher(&world, &cancel).await;
    let events: Vec<_> = (0..3_000)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect();
    let confirmed = publisher.publish_all(&events).await;
    let url = url(&world);
    let consume = async || {
        consume(
            &url,
            Queue::Events,
            "test",
            std::sync::Arc::new(std::sync::atomic::AtomicU16::new(1_000)),
        )
        .await
        .expect("it consumes")
    };
    let (first, second) = (consume().await, consume().await);

    let done = std::sync::Mutex::new(Vec::new());
    let both = async { tokio::join!(work(first, &done, 3_000), work(second, &done, 3_000)) };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), both).await;

    assert!(confirmed.iter().all(Result::is_ok));
    assert!(ended.is_ok(), "all come");
    let published: Vec<Vec<u8>> = events.iter().map(|event| event.body.to_vec()).collect();
    assert!(
        done.into_inner().expect("no panic") == published,
        "in their order"
    );
    cancel.cancel();
    world.end().await;
}
