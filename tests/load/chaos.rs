//! Faults under load, in short; `./dev chaos` runs the same code in full.

use std::time::{Duration, Instant};

use webhook_tests::chaos::{
    Outage, SCENARIOS, Scale, Scenario, flood, hostile, isolation, lost_nodes, promoted_standby,
};
use webhook_tests::{
    Alarm, Receiver, Servers, Service, Stranger, StrangersMessage, WebhookSample, World, events,
};

use crate::machine::shared;

/// The scenarios run one after the other: each breaks the servers.
#[tokio::test(flavor = "multi_thread")]
async fn no_fault_loses_a_confirmed_event_and_only_requests_in_flight_come_again() {
    let _machine = shared().await;
    let servers = Servers::start().await;

    for Scenario {
        fault, name, short, ..
    } in SCENARIOS
    {
        let account = fault.run(&servers, *short).await;

        println!("{name}: {account:?}");
        assert!(account.kept(), "{name}: {account:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_nodes_of_rabbitmq_and_a_promoted_standby_lose_no_event() {
    let _machine = shared().await;
    let scale = Scale::new(1_000, 1, Duration::ZERO);

    let (nodes, standby) = tokio::join!(lost_nodes(scale), promoted_standby(scale));

    for account in [nodes, standby] {
        println!("{account:?}");
        assert!(account.kept(), "{account:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_and_a_new_webhook_is_served_when_all_receivers_hang() {
    let _machine = shared().await;
    let flood = flood(World::new().await, 10_000).await;

    println!("{flood:?}");
    assert!(flood.peak_mib < 256, "{flood:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_webhooks_do_not_hold_up_healthy_webhooks() {
    let _machine = shared().await;
    let isolation = isolation(World::new().await, 10, 20, 10).await;

    // `./dev chaos` measures the delay. Here the other webhooks hang for 30 s.
    println!("{isolation:?}");
    assert!(isolation.beside < Duration::from_secs(5), "{isolation:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_traffic_stops_no_service_and_loses_and_hides_no_event() {
    let _machine = shared().await;
    let storm = hostile(World::new().await, 0, 2_000).await;

    println!("{storm:?}");
    assert!(
        storm.broken > 300 && storm.healthy > 50,
        "too small for a storm: {storm:?}"
    );
    assert_eq!(storm.faults(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_postgres_loses_and_sets_aside_no_event() {
    let _machine = shared().await;
    // Longer than the time after which a worker leaves messages to another worker.
    let lasts = Duration::from_secs(12);
    let run = async |outage: Outage| outage.run(World::new().await, 1_500, lasts).await;

    let (read_only, full) = tokio::join!(run(Outage::ReadOnly), run(Outage::Full));

    for account in [read_only, full] {
        println!("{account:?}");
        assert_eq!((account.lost, account.set_aside), (0, 0), "{account:?}");
    }
}

/// Stores a webhook at `receiver`, and declares the queues with a dispatcher that ends.
async fn store_and_declare(world: &World, receiver: &Receiver) {
    let sample = WebhookSample::at(&receiver.url);
    sample.store(&mut world.database.connection().await).await;
    let declares = Service::dispatcher(world);
    let consumes = async || world.broker.consumers().await == 1;
    world.until("the queues are declared", consumes).await;
    assert!(declares.terminate().await);
}

/// Publishes a message without an event, and then 500 events.
async fn publish_500_and_a_bad_one(world: &World) {
    let stranger = Stranger::connect(world).await;
    let bad = StrangersMessage::event("not json");
    stranger.publish_all(&[bad]).await;
    let messages: Vec<_> = events(500).iter().map(StrangersMessage::of).collect();
    stranger.publish_all(&messages).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_blocks_publishers_events_are_delivered_and_bad_messages_set_aside() {
    const ASIDE: &str = "SELECT count(*) FROM rejected_messages WHERE body = 'not json'";
    let _machine = shared().await;
    let servers = Servers::start().await;
    let world = World::on(servers.urls()).await;
    let receiver = Receiver::answering(&[]).await;
    store_and_declare(&world, &receiver).await;
    publish_500_and_a_bad_one(&world).await;

    servers.set_alarm(Alarm::Disk, true).await;
    let dispatcher = Service::dispatcher(&world);
    let began = Instant::now();
    let all = async || receiver.count() == 500;
    world.until("all events arrive", all).await;
    let aside = async || world.database.ask(ASIDE).await;
    world.becomes("bad messages set aside", 1, aside).await;

    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    servers.set_alarm(Alarm::Disk, false).await;
    dispatcher.kill().await;
    world.end().await;
}
