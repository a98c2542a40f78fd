//! HTTP/1 connections: how they end, how old they get, what is written on them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use webhook_domain::{Environment, Event, EventType};
use webhook_tests::{Answer, DnsEntry, NameServer, Platform, Received, Receiver, event};

use crate::receivers::{
    all_succeed_at_once, create, failed_attempts, only_attempt, policy, publish,
};

/// B1: some receivers close a connection some time after they answered, and do not say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_closes_some_milliseconds_after_each_answer_fails_no_attempt() {
    const EVENTS: u64 = 200;
    let platform = Platform::with_dispatcher(&[]).await;
    let mut webhooks = Vec::new();
    for pause in [0, 10, 50] {
        let pause = Duration::from_millis(pause);
        let receiver = Receiver::deciding(move |_, _| Answer::closing_after(pause)).await;
        let webhook = create(&platform, &receiver.url, &policy(3, 2_000)).await;
        webhooks.push((webhook, receiver));
    }

    for number in 0..EVENTS {
        publish(&platform).await;
        // 10 to 40 ms, so that some requests meet the moment at which a connection ends.
        tokio::time::sleep(Duration::from_millis(10 + number * 7 % 31)).await;
    }
    let tried = async || {
        let world = &platform.world;
        (world.database.deliveries().await == 600 && world.database.pending().await == 0)
            .then_some(())
    };
    platform.world.patiently("all deliveries end", tried).await;

    let mut failed = Vec::new();
    for (webhook, _) in &webhooks {
        failed.push(failed_attempts(&platform, webhook).await);
    }
    assert_eq!(failed, [0, 0, 0], "failed attempts after 0, 10 and 50 ms");
    assert_eq!(platform.world.database.delivered().await, 600);
    platform.end().await;
}

/// B1 at full speed: a server without keep-alive that does not say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_closes_after_every_answer_gets_thousands_of_events_without_a_failure() {
    const EVENTS: usize = 3_000;
    let platform = Platform::with_dispatcher(&[]).await;
    let receiver = Receiver::deciding(|_, _| Answer::closing_after(Duration::ZERO)).await;
    create(&platform, &receiver.url, &policy(3, 2_000)).await;
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let events: Vec<Event> = (0..EVENTS)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect();

    let confirmed = publisher.publish_all(&events).await;

    assert!(confirmed.iter().all(Result::is_ok), "the broker has them");
    all_succeed_at_once(&platform, 3_000).await;
    assert_eq!(receiver.bodies().len(), EVENTS);
    cancel.cancel();
    platform.end().await;
}

/// Publishes two events a second until `arrived` says that it is enough.
async fn publish_until(platform: &Platform, what: &str, arrived: impl Fn() -> bool) {
    let arrives = async || {
        publish(platform).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        arrived().then_some(())
    };
    platform.world.eventually(what, arrives).await;
}

async fn at(address: [u8; 4], port: u16) -> Receiver {
    let accept = |_: usize, _: &Received| Answer::Status(200);
    Receiver::deciding_at(SocketAddr::from((address, port)), accept).await
}

/// A platform whose dispatcher keeps a connection for a second, and a name for two receivers.
async fn platform_with_a_moving_name() -> (Platform, NameServer) {
    let names = NameServer::start().await;
    let address = names.address.to_string();
    let variables = [
        ("DNS_SERVERS", address.as_str()),
        ("CONNECTION_MAX_AGE_MS", "1000"),
    ];
    (Platform::with_dispatcher(&variables).await, names)
}

/// B10: a receiver moves, and the old server still answers whoever is connected.
#[tokio::test(flavor = "multi_thread")]
async fn events_follow_a_name_that_moves_although_the_old_server_still_answers() {
    let (platform, names) = platform_with_a_moving_name().await;
    let old = at([127, 0, 0, 1], 0).await;
    let new = at([127, 0, 0, 3], old.port()).await;
    names.set("moving.test", DnsEntry::at([Ipv4Addr::LOCALHOST]));
    let url = format!("http://moving.test:{}/hook", old.port());
    create(&platform, &url, &policy(3, 2_000)).await;
    publish_until(&platform, "the old server gets events", || old.count() > 1).await;

    names.set("moving.test", DnsEntry::at([Ipv4Addr::new(127, 0, 0, 3)]));
    publish_until(&platform, "the new server gets events", || new.count() > 0).await;
    let (before, after) = (old.count(), new.count());
    publish_until(&platform, "it gets more", || new.count() > after + 3).await;

    assert_eq!(old.count(), before, "requests to the old address");
    platform.end().await;
}

/// B10: the address policy is asked again when a connection is replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_moves_to_a_private_address_is_not_called_any_more() {
    let (platform, names) = platform_with_a_moving_name().await;
    let old = at([127, 0, 0, 1], 0).await;
    names.set("moving.test", DnsEntry::at([Ipv4Addr::LOCALHOST]));
    let url = format!("http://moving.test:{}/hook", old.port());
    let webhook = create(&platform, &url, &policy(1, 2_000)).await;
    publish_until(&platform, "the old server gets events", || old.count() > 1).await;

    names.set("moving.test", DnsEntry::at([Ipv4Addr::new(10, 0, 0, 1)]));
    let refused = async || {
        publish(&platform).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        (failed_attempts(&platform, &webhook).await > 0).then_some(())
    };
    platform
        .world
        .eventually("the address is refused", refused)
        .await;

    let classes: String = platform
        .world
        .database
        .ask("SELECT string_agg(DISTINCT failure_class::text, ', ') FROM attempts")
        .await;
    assert_eq!(classes, "blocked_address");
    platform.end().await;
}

async fn head_of_a_request() -> String {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, &receiver.url, &policy(1, 2_000)).await;
    publish(&platform).await;
    only_attempt(&platform, &webhook).await;
    platform.end().await;
    receiver.received()[0].head.clone()
}

/// B17: a receiver of HTTP/1 may compare names of headers with regard to case.
#[tokio::test(flavor = "multi_thread")]
async fn our_headers_are_written_as_they_are_documented() {
    let head = head_of_a_request().await;

    for name in [
        "X-Webhook-Signature",
        "X-Webhook-Event",
        "X-Webhook-Environment",
        "X-Webhook-Delivery",
        "X-Webhook-Attempt",
        "Content-Type",
        "User-Agent",
    ] {
        assert!(head.contains(&format!("\r\n{name}: ")), "{name} in {head}");
    }
}

/// B17: Standard Webhooks writes its headers in lower case.
#[tokio::test(flavor = "multi_thread")]
async fn the_headers_of_standard_webhooks_are_written_in_lower_case() {
    let head = head_of_a_request().await;

    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert!(head.contains(&format!("\r\n{name}: ")), "{name} in {head}");
    }
}
