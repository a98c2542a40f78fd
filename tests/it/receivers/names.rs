//! Names of receivers: looked up within bounds, with all their addresses, by their own servers.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{
    Answer, Authority, DeafPort, DnsEntry, NameServer, Platform, Received, Receiver, TlsServer,
};

use crate::receivers::{
    create, ended, failed_attempts, once, only_attempt, platform_with_names, policy, publish,
};

/// The address of the receivers.
const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A receiver that ends the connection after each answer, so that each request needs a new one.
async fn receiver_without_keep_alive() -> Receiver {
    Receiver::deciding(|_, _| Answer::Header(200, "connection: close")).await
}

/// Where a receiver is, by this name.
fn by_name(name: &str, receiver: &Receiver) -> String {
    format!("http://{name}:{}/hook", receiver.port())
}

/// B8: look-ups that are never answered are bounded in number and time, and hold nobody up.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_webhooks_without_dns_answers_do_not_hold_up_a_healthy_one() {
    let (platform, names) = platform_with_names().await;
    let receiver = receiver_without_keep_alive().await;
    names.set("*.silent.test", DnsEntry::silent());
    let kept = Duration::ZERO;
    names.set("healthy.test", DnsEntry::at([HOME]).kept_for(kept));
    let mut silent = policy(1, 15_000);
    silent["event_types"] = json!(["contract.created"]);
    let mut webhooks = Vec::new();
    for number in 0..100 {
        let url = format!("http://w{number}.silent.test:9/hook");
        webhooks.push(create(&platform, &url, &silent).await);
    }
    let mut healthy = once();
    healthy["event_types"] = json!(["license.activated"]);
    let healthy = create(&platform, &by_name("healthy.test", &receiver), &healthy).await;

    for _ in 0..16 {
        let contract = EventType::ContractCreated;
        platform.publish(Environment::Production, contract).await;
    }
    let asked = async || (names.queries("w99.silent.test") > 0).then_some(());
    platform
        .world
        .eventually("names are looked up", asked)
        .await;
    let mut slowest = Duration::ZERO;
    for number in 1..=50 {
        let published = Instant::now();
        publish(&platform).await;
        let arrives = async || (receiver.count() >= number).then_some(());
        platform.world.eventually("it arrives", arrives).await;
        slowest = slowest.max(published.elapsed());
    }

    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert_eq!(failed_attempts(&platform, &healthy).await, 0);
    let attempt = only_attempt(&platform, &webhooks[99]).await;
    assert_eq!(attempt["failure_class"], "dns", "{attempt}");
    let millis = attempt["duration_ms"].as_u64().expect("a duration");
    assert!(millis <= 6_000, "a look-up of {millis} ms");
    // Sixteen deliveries share a look-up, which asks for A and AAAA some times.
    let queries = names.queries("w99.silent.test");
    assert!(queries <= 16, "{queries} queries for one name");
    platform.end().await;
}

/// B9: the second address is tried while the first one does not answer, and first from then on.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_whose_first_address_is_dead_is_reached_by_its_second_one() {
    let (platform, names) = platform_with_names().await;
    let receiver = receiver_without_keep_alive().await;
    let dead = Ipv4Addr::new(127, 0, 0, 2);
    let deaf = DeafPort::at((dead, receiver.port())).await;
    names.set("two.test", DnsEntry::at([dead, HOME]));
    let url = by_name("two.test", &receiver);
    let webhook = create(&platform, &url, &policy(1, 5_000)).await;

    publish(&platform).await;
    let first = only_attempt(&platform, &webhook).await;
    assert!(first["failure_class"].is_null(), "{first}");
    assert!(first["connect_ms"].as_u64() < Some(1_500), "{first}");
    let mut later = Vec::new();
    for number in 2..=5 {
        publish(&platform).await;
        let arrives = async || (receiver.count() == number).then_some(());
        platform.world.eventually("it arrives", arrives).await;
        later.push(only_attempt(&platform, &webhook).await["connect_ms"].clone());
    }

    assert_eq!(deaf.address.ip(), dead);
    let quick = |connect: &serde_json::Value| connect.as_u64().is_none_or(|millis| millis < 200);
    assert!(
        later.iter().all(quick),
        "the dead address goes last: {later:?}"
    );
    platform.end().await;
}

/// B9: addresses that all drop SYNs are a failure to connect, which names them.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_all_dead_are_named_in_a_failure_to_connect() {
    let (platform, names) = platform_with_names().await;
    let [one, two] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];
    let first = DeafPort::at((one, 0)).await;
    let port = first.address.port();
    let _second = DeafPort::at((two, port)).await;
    names.set("dead.test", DnsEntry::at([one, two]));
    let url = format!("http://dead.test:{port}/hook");
    let webhook = create(&platform, &url, &policy(1, 3_000)).await;

    publish(&platform).await;
    let attempt = only_attempt(&platform, &webhook).await;

    assert_eq!(attempt["failure_class"], "connect", "{attempt}");
    let detail = attempt["failure_detail"].as_str().expect("a sentence");
    assert!(
        detail.contains("127.0.0.2") && detail.contains("127.0.0.3"),
        "{detail}"
    );
    let advice = attempt["advice"].as_str().expect("advice");
    assert!(!advice.contains("work afterwards"), "{advice}");
    platform.end().await;
}

/// An answer for A is enough, although nobody answers for AAAA.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_whose_aaaa_is_never_answered_is_reached_by_its_ipv4_address() {
    let (platform, names) = platform_with_names().await;
    let receiver = receiver_without_keep_alive().await;
    names.set("half.test", DnsEntry::at([HOME]).without_answer_for_aaaa());
    names.set(
        "late.test",
        DnsEntry::at([HOME]).after(Duration::from_secs(1)),
    );
    let mut webhooks = Vec::new();
    for name in ["half.test", "late.test"] {
        let url = by_name(name, &receiver);
        webhooks.push(create(&platform, &url, &policy(1, 10_000)).await);
    }

    publish(&platform).await;

    for webhook in &webhooks {
        let attempt = only_attempt(&platform, webhook).await;
        assert!(attempt["failure_class"].is_null(), "{attempt}");
        assert!(attempt["dns_ms"].as_u64() <= Some(5_500), "{attempt}");
    }
    platform.end().await;
}

/// A name that does not exist and a zone that is broken are told apart.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_missing_is_told_apart_from_one_whose_servers_fail() {
    let (platform, names) = platform_with_names().await;
    names.set("missing.test", DnsEntry::missing());
    names.set("broken.test", DnsEntry::broken());
    let mut webhooks = Vec::new();
    for name in ["missing.test", "broken.test"] {
        let url = format!("http://{name}:9/hook");
        webhooks.push(create(&platform, &url, &policy(1, 10_000)).await);
    }

    publish(&platform).await;

    let mut sentences = Vec::new();
    for webhook in &webhooks {
        let attempt = only_attempt(&platform, webhook).await;
        assert_eq!(attempt["failure_class"], "dns", "{attempt}");
        sentences.push(attempt["failure_detail"].to_string());
    }
    assert_ne!(sentences[0], sentences[1]);
    assert!(names.queries("missing.test") > 0 && names.queries("broken.test") > 0);
    platform.end().await;
}

/// A dot at the end of a name is for resolvers: servers do not know themselves by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_dot_at_the_end_of_a_name_is_in_neither_the_host_header_nor_the_tls_hello() {
    let authority = Authority::new();
    let names = NameServer::start().await;
    let (file, address) = (
        authority.file.to_str().expect("a path"),
        names.address.to_string(),
    );
    let variables = [("SSL_CERT_FILE", file), ("DNS_SERVERS", &address)];
    let platform = Platform::with_dispatcher(&variables).await;
    let plain = receiver_without_keep_alive().await;
    let server = TlsServer::start(authority.issue(&["dot.test"]).acceptor(&[])).await;
    names.set("dot.test", DnsEntry::at([HOME]));
    let url = format!("https://dot.test.:{}/hook", server.port);
    let mut webhooks = vec![create(&platform, &url, &once()).await];
    webhooks.push(create(&platform, &by_name("dot.test.", &plain), &once()).await);

    publish(&platform).await;

    for webhook in &webhooks {
        let delivery = ended(&platform, webhook).await;
        assert_eq!(delivery["status"], "succeeded", "{delivery}");
    }
    let received: Vec<Received> = plain.received();
    let host = format!("dot.test:{}", plain.port());
    assert_eq!(received[0].headers["host"], host);
    let secure = &server.requests()[0];
    assert_eq!(secure.server_name.as_deref(), Some("dot.test"));
    let host = format!("host: dot.test:{}\r\n", server.port);
    assert!(
        secure.head.to_lowercase().contains(&host),
        "{}",
        secure.head
    );
    platform.end().await;
}

/// A name of `/etc/hosts` counts before any name server.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_the_hosts_file_is_reached_without_a_name_server() {
    let (platform, names) = platform_with_names().await;
    let accept = |_: usize, _: &Received| Answer::Status(200);
    let receiver = Receiver::deciding_at(SocketAddr::from((HOME, 0)), accept).await;
    names.set("localhost", DnsEntry::broken());
    let webhook = create(&platform, &by_name("localhost", &receiver), &once()).await;

    publish(&platform).await;

    let attempt = only_attempt(&platform, &webhook).await;
    assert!(attempt["failure_class"].is_null(), "{attempt}");
    platform.end().await;
}
