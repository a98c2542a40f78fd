//! Faults under load, in short; `./dev chaos` runs the same code in full.

use std::time::{Duration, Instant};

use webhook_domain::{Environment, EventType};
use webhook_tests::chaos::{Outage, SCENARIOS, Scenario, flood, hostile, isolation};
use webhook_tests::{
    Alarm, Receiver, Servers, Service, Stranger, StrangersMessage, WebhookSample, World, event,
};

use crate::machine::shared;

/// One after the other, as they break servers of their own.
#[tokio::test(flavor = "multi_thread")]
async fn no_fault_loses_a_confirmed_event_and_only_what_was_in_flight_comes_again() {
    let _machine = shared().await;
    let servers = Servers::start().await;

    for Scenario {
        fault, name, short, ..
    } in SCENARIOS
    {
        let account = fault.run(&servers, *short).await;

        println!("{name}: {account:?}");
        assert_eq!((account.lost, account.set_aside), (0, 0), "{name}");
        assert!(account.duplicates <= account.in_flight, "{name}");
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
async fn webhooks_that_hang_do_not_hold_up_healthy_ones() {
    let _machine = shared().await;
    let isolation = isolation(World::new().await, 10, 20, 10).await;

    // How much longer they wait is measured by `./dev chaos`. Here the others hang for 30 s.
    println!("{isolation:?}");
    assert!(isolation.beside < Duration::from_secs(5), "{isolation:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_traffic_stops_loses_and_hides_nothing() {
    let _machine = shared().await;
    let storm = hostile(World::new().await, 0, 2_000).await;

    println!("{storm:?}");
    assert!(storm.broken > 300 && storm.healthy > 50, "it is a storm");
    assert_eq!(storm.faults(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_postgres_loses_and_sets_aside_no_event() {
    let _machine = shared().await;
    // Longer than a worker waits before it leaves messages to another one.
    let lasts = Duration::from_secs(12);
    let run = async |outage: Outage| outage.run(World::new().await, 1_500, lasts).await;

    let (read_only, full) = tokio::join!(run(Outage::ReadOnly), run(Outage::Full));

    for account in [read_only, full] {
        println!("{account:?}");
        assert_eq!((account.lost, account.set_aside), (0, 0), "{account:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_blocks_publishers_events_are_delivered_and_what_is_none_goes_aside() {
    let _machine = shared().await;
    let servers = Servers::start().await;
    let world = World::on(servers.urls()).await;
    let receiver = Receiver::answering(&[]).await;
    let sample = WebhookSample::at(&receiver.url);
    sample.store(&mut world.database.connection().await).await;
    let declares = Service::dispatcher(&world);
    let consumes = async || (world.broker.consumers().await == 1).then_some(());
    world.eventually("the queues are there", consumes).await;
    assert!(declares.terminate().await);
    let stranger = Stranger::connect(&world).await;
    let events = [(); 500].map(|()| event(Environment::Production, EventType::LicenseActivated));
    let events = events.map(|event| StrangersMessage::event(event.body.to_vec()));
    stranger
        .publish_all(&[StrangersMessage::event("not json")])
        .await;
    stranger.publish_all(&events).await;

    servers.set_alarm(Alarm::Disk, true).await;
    let dispatcher = Service::dispatcher(&world);
    let began = Instant::now();
    let all = async || (receiver.count() == 500).then_some(());
    world.eventually("all events arrive", all).await;
    let aside = "SELECT count(*) FROM rejected_messages WHERE body = 'not json'";
    let aside = async || (world.database.ask::<i64>(aside).await == 1).then_some(());
    world.eventually("the other one goes aside", aside).await;

    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    servers.set_alarm(Alarm::Disk, false).await;
    dispatcher.kill().await;
    world.end().await;
}
