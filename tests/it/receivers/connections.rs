//! HTTP/1 connections: the end and the age of a connection, and the headers of requests.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use webhook_tests::{Answer, DnsEntry, NameServer, Platform, Received, Receiver};

use crate::receivers::{
    all_succeed_at_once, create, create_each, failed_attempts, failed_attempts_of_each,
    only_attempt, policy, publish, publish_at_once,
};

/// The pause between two events: half the age at which the dispatcher replaces a connection, and long
/// enough for a single connection to carry all requests.
const PAUSE: Duration = Duration::from_millis(500);

/// B1: some receivers close a connection a while after the answer, without an announcement.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_closes_some_milliseconds_after_each_answer_fails_no_attempt() {
    let platform = Platform::with_dispatcher(&[]).await;
    let mut urls = Vec::new();
    for millis in [0, 10, 50] {
        let pause = Duration::from_millis(millis);
        let receiver = Receiver::deciding(move |_, _| Answer::closing_after(pause)).await;
        urls.push(receiver.url);
    }
    let webhooks = create_each(&platform, &urls, &policy(3, 15_000)).await;

    publish_over_the_ends_of_connections(&platform, 200).await;
    all_end(&platform, 600).await;

    let failed = failed_attempts_of_each(&platform, &webhooks).await;
    assert_eq!(failed, [0, 0, 0], "failed attempts after 0, 10 and 50 ms");
    assert_eq!(platform.world.database.delivered().await, 600);
    platform.end().await;
}

/// Publishes `count` events 10 to 40 ms apart. The pauses are the trial: some requests meet the moment
/// at which a receiver ends the connection.
async fn publish_over_the_ends_of_connections(platform: &Platform, count: u64) {
    for number in 0..count {
        publish(platform).await;
        tokio::time::sleep(Duration::from_millis(10 + number * 7 % 31)).await;
    }
}

/// Waits until `count` deliveries have ended, well or not.
async fn all_end(platform: &Platform, count: i64) {
    let database = &platform.world.database;
    let ended = async || {
        let ended = database.deliveries().await == count && database.pending().await == 0;
        ended.then_some(())
    };
    platform.world.patiently("all deliveries end", ended).await;
}

/// B1 at full speed: a server without keep-alive and without an announcement of the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_closes_after_every_answer_gets_thousands_of_events_without_a_failure() {
    let platform = Platform::with_dispatcher(&[]).await;
    let receiver = Receiver::deciding(|_, _| Answer::closing_after(Duration::ZERO)).await;
    create(&platform, &receiver.url, &policy(3, 15_000)).await;

    publish_at_once(&platform, 3_000).await;

    all_succeed_at_once(&platform, 3_000).await;
    assert_eq!(receiver.bodies().len(), 3_000);
    platform.end().await;
}

/// Publishes an event after each [`PAUSE`] until `holds` says yes. The events are the trial: a
/// connection is replaced when a request needs the connection.
async fn publish_until(platform: &Platform, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let published = async || {
        publish(platform).await;
        tokio::time::sleep(PAUSE).await;
        holds().await
    };
    platform.until(what, published).await;
}

async fn at(address: Ipv4Addr, port: u16) -> Receiver {
    let accept = |_: usize, _: &Received| Answer::Status(200);
    Receiver::deciding_at(SocketAddr::from((address, port)), accept).await
}

/// A platform whose dispatcher keeps a connection for a second, and a name server for the dispatcher.
async fn platform_with_a_moving_name() -> (Platform, NameServer) {
    let names = NameServer::start().await;
    let address = names.address.to_string();
    let variables = [
        ("DNS_SERVERS", address.as_str()),
        ("CONNECTION_MAX_AGE_MS", "1000"),
    ];
    (Platform::with_dispatcher(&variables).await, names)
}

/// B10: a receiver moves, and the old server still answers on old connections.
#[tokio::test(flavor = "multi_thread")]
async fn events_follow_a_name_that_moves_although_the_old_server_still_answers() {
    let (platform, names) = platform_with_a_moving_name().await;
    let [here, there] = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 3)];
    let old = at(here, 0).await;
    let new = at(there, old.port()).await;
    names.set("moving.test", DnsEntry::at([here]));
    let url = format!("http://moving.test:{}/hook", old.port());
    create(&platform, &url, &policy(3, 15_000)).await;
    publish_until(&platform, "the old server serves", async || old.count() > 1).await;

    names.set("moving.test", DnsEntry::at([there]));
    publish_until(&platform, "the new server serves", async || new.count() > 0).await;
    let (before, after) = (old.count(), new.count());
    let more = async || new.count() > after + 3;
    publish_until(&platform, "the new server serves more", more).await;

    assert_eq!(old.count(), before, "requests to the old address");
    platform.end().await;
}

/// B10: the address policy is asked again when a connection is replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_moves_to_a_private_address_is_not_called_any_more() {
    let (platform, names) = platform_with_a_moving_name().await;
    let old = at(Ipv4Addr::LOCALHOST, 0).await;
    names.set("moving.test", DnsEntry::at([Ipv4Addr::LOCALHOST]));
    let url = format!("http://moving.test:{}/hook", old.port());
    let webhook = create(&platform, &url, &policy(1, 2_000)).await;
    publish_until(&platform, "the old server serves", async || old.count() > 1).await;

    names.set("moving.test", DnsEntry::at([Ipv4Addr::new(10, 0, 0, 1)]));
    let refused = async || failed_attempts(&platform, &webhook).await > 0;
    publish_until(&platform, "the new address is refused", refused).await;

    let classes = "SELECT string_agg(DISTINCT failure_class::text, ', ') FROM attempts";
    let classes: String = platform.world.database.ask(classes).await;
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
async fn our_headers_are_written_as_in_the_documentation() {
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

/// B17: the headers of Standard Webhooks have lower-case names.
#[tokio::test(flavor = "multi_thread")]
async fn the_headers_of_standard_webhooks_are_written_in_lower_case() {
    let head = head_of_a_request().await;

    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert!(head.contains(&format!("\r\n{name}: ")), "{name} in {head}");
    }
}
