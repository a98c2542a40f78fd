//! Names of receivers: looked up within bounds, at the given name servers, and tried with all addresses.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{
    Answer, Authority, DeafPort, DnsEntry, NameServer, Platform, Received, Receiver, TlsServer,
};

use crate::receivers::{
    attempt_each, create, create_each, ended, failed_attempts, once, only_attempt,
    platform_with_names, policy, publish,
};

/// The address of the receivers.
const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A receiver that ends the connection after each answer: each request needs a new connection.
async fn receiver_without_keep_alive() -> Receiver {
    Receiver::deciding(|_, _| Answer::Header(200, "connection: close")).await
}

/// The URL of a receiver by a name.
fn by_name(name: &str, receiver: &Receiver) -> String {
    format!("http://{name}:{}/hook", receiver.port())
}

/// Creates a hundred webhooks for contracts whose names no server answers for, and returns the ids.
async fn silent_webhooks(platform: &Platform, names: &NameServer) -> Vec<String> {
    names.set("*.silent.test", DnsEntry::silent());
    let url = |number| format!("http://w{number}.silent.test:9/hook");
    let urls: Vec<String> = (0..100).map(url).collect();
    let mut for_contracts = policy(1, 15_000);
    for_contracts["event_types"] = json!(["contract.created"]);
    create_each(platform, &urls, &for_contracts).await
}

/// Publishes sixteen contracts and waits until the look-ups of the silent names are under way.
async fn publish_contracts(platform: &Platform, names: &NameServer) {
    for _ in 0..16 {
        let contract = EventType::ContractCreated;
        platform.publish(Environment::Production, contract).await;
    }
    let asked = async || names.queries("w99.silent.test") > 0;
    platform.until("names are looked up", asked).await;
}

/// B8: unanswered look-ups of a hundred names hold no event of another webhook up.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_webhooks_without_dns_answers_do_not_hold_up_a_healthy_webhook() {
    let (platform, names) = platform_with_names().await;
    let receiver = receiver_without_keep_alive().await;
    // The healthy name is looked up for each request.
    let unkept = DnsEntry::at([HOME]).kept_for(Duration::ZERO);
    names.set("healthy.test", unkept);
    let mut for_licenses = once();
    for_licenses["event_types"] = json!(["license.activated"]);
    let url = by_name("healthy.test", &receiver);
    let healthy = create(&platform, &url, &for_licenses).await;
    silent_webhooks(&platform, &names).await;

    publish_contracts(&platform, &names).await;
    let mut slowest = Duration::ZERO;
    for number in 1..=50 {
        let published = Instant::now();
        publish(&platform).await;
        arrived(&platform, &receiver, number).await;
        slowest = slowest.max(published.elapsed());
    }

    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert_eq!(failed_attempts(&platform, &healthy).await, 0);
    platform.end().await;
}

/// B8: a look-up without an answer is bounded in time and in queries.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_without_an_answer_ends_within_six_seconds_and_sixteen_queries() {
    let (platform, names) = platform_with_names().await;
    let webhooks = silent_webhooks(&platform, &names).await;

    publish_contracts(&platform, &names).await;

    let attempt = only_attempt(&platform, &webhooks[99]).await;
    assert_eq!(attempt["failure_class"], "dns", "{attempt}");
    let millis = attempt["duration_ms"].as_u64().expect("a duration");
    assert!(millis <= 6_000, "a look-up of {millis} ms");
    // Sixteen deliveries share a look-up, with a few queries for A and AAAA.
    let queries = names.queries("w99.silent.test");
    assert!(queries <= 16, "{queries} queries for a single name");
    platform.end().await;
}

/// Waits until a receiver has `count` requests.
async fn arrived(platform: &Platform, receiver: &Receiver, count: usize) {
    let arrives = async || receiver.count() >= count;
    platform.until("the request arrives", arrives).await;
}

/// A receiver behind the second of two addresses of the name `two.test`. The first address is dead.
struct HalfDead {
    receiver: Receiver,
    /// A listener that drops SYNs.
    _first: DeafPort,
}

impl HalfDead {
    async fn start(names: &NameServer) -> Self {
        let receiver = receiver_without_keep_alive().await;
        let dead = Ipv4Addr::new(127, 0, 0, 2);
        let first = DeafPort::at((dead, receiver.port())).await;
        names.set("two.test", DnsEntry::at([dead, HOME]));
        Self {
            receiver,
            _first: first,
        }
    }
}

/// B9: the second address is tried while the first address does not answer, and first from then on.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_whose_first_address_is_dead_is_reached_by_the_second_address() {
    let (platform, names) = platform_with_names().await;
    let half_dead = HalfDead::start(&names).await;
    let receiver = &half_dead.receiver;
    let url = by_name("two.test", receiver);
    let webhook = create(&platform, &url, &policy(1, 5_000)).await;

    publish(&platform).await;
    let first = only_attempt(&platform, &webhook).await;
    let mut later = Vec::new();
    for number in 2..=5 {
        publish(&platform).await;
        arrived(&platform, receiver, number).await;
        later.push(only_attempt(&platform, &webhook).await["connect_ms"].as_u64());
    }

    assert!(first["failure_class"].is_null(), "{first}");
    assert!(first["connect_ms"].as_u64() < Some(1_500), "{first}");
    let quick = |connect_ms: &Option<u64>| connect_ms.is_none_or(|millis| millis < 200);
    assert!(later.iter().all(quick), "the dead address last: {later:?}");
    assert_eq!(receiver.count(), 5, "a request for each event");
    platform.end().await;
}

/// B9: when all addresses drop SYNs, the failure to connect names the addresses.
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

/// An answer for A is enough without an answer for AAAA.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_whose_aaaa_is_never_answered_is_reached_by_its_ipv4_address() {
    let (platform, names) = platform_with_names().await;
    let receiver = receiver_without_keep_alive().await;
    names.set("half.test", DnsEntry::at([HOME]).without_answer_for_aaaa());
    names.set(
        "late.test",
        DnsEntry::at([HOME]).after(Duration::from_secs(1)),
    );
    let urls = ["half.test", "late.test"].map(|name| by_name(name, &receiver));
    let webhooks = create_each(&platform, &urls, &policy(1, 10_000)).await;

    for attempt in attempt_each(&platform, &webhooks).await {
        assert!(attempt["failure_class"].is_null(), "{attempt}");
        assert!(attempt["dns_ms"].as_u64() <= Some(5_500), "{attempt}");
    }
    platform.end().await;
}

/// The sentences for a missing name and for a broken zone differ.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_name_is_told_apart_from_a_name_with_failing_servers() {
    let (platform, names) = platform_with_names().await;
    names.set("missing.test", DnsEntry::missing());
    names.set("broken.test", DnsEntry::broken());
    let urls = ["missing.test", "broken.test"].map(|name| format!("http://{name}:9/hook"));
    let webhooks = create_each(&platform, &urls, &policy(1, 10_000)).await;

    let attempts = attempt_each(&platform, &webhooks).await;

    for attempt in &attempts {
        assert_eq!(attempt["failure_class"], "dns", "{attempt}");
        assert!(attempt["failure_detail"].is_string(), "{attempt}");
    }
    assert_ne!(attempts[0]["failure_detail"], attempts[1]["failure_detail"]);
    assert!(names.queries("missing.test") > 0 && names.queries("broken.test") > 0);
    platform.end().await;
}

/// A platform whose dispatcher trusts an authority and asks a name server of the test.
async fn platform_with_names_and(authority: &Authority) -> (Platform, NameServer) {
    let names = NameServer::start().await;
    let file = authority.file.to_str().expect("a path");
    let address = names.address.to_string();
    let variables = [("SSL_CERT_FILE", file), ("DNS_SERVERS", &address)];
    (Platform::with_dispatcher(&variables).await, names)
}

/// A dot at the end of a name is for resolvers: servers do not know the name with the dot.
#[tokio::test(flavor = "multi_thread")]
async fn a_dot_at_the_end_of_a_name_is_in_neither_the_host_header_nor_the_tls_hello() {
    let authority = Authority::new();
    let (platform, names) = platform_with_names_and(&authority).await;
    let plain = receiver_without_keep_alive().await;
    let secure = TlsServer::start(authority.issue(&["dot.test"]).acceptor(&[])).await;
    names.set("dot.test", DnsEntry::at([HOME]));
    let urls = [
        format!("https://dot.test.:{}/hook", secure.port),
        by_name("dot.test.", &plain),
    ];
    let webhooks = create_each(&platform, &urls, &once()).await;

    publish(&platform).await;

    for webhook in &webhooks {
        let delivery = ended(&platform, webhook).await;
        assert_eq!(delivery["status"], "succeeded", "{delivery}");
    }
    let host = format!("dot.test:{}", plain.port());
    assert_eq!(plain.received()[0].headers["host"], host);
    let hello = &secure.requests()[0];
    assert_eq!(hello.server_name.as_deref(), Some("dot.test"));
    let host = format!("host: dot.test:{}\r\n", secure.port);
    let head = hello.head.to_lowercase();
    assert!(head.contains(&host), "{head}");
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
