//! Receivers of HTTP/2: a request unprocessed by the peer is sent again at once, and a dead connection
//! fails no request of another connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use webhook_tests::{
    Authority, Http2Answer, Http2Receiver, Http2Stream, Identity, Platform, Proxy,
};

use crate::receivers::{
    all_succeed_at_once, create, create_each, failed_attempts, only_attempt, policy, publish,
    publish_at_once,
};

/// A platform with trust in the receiver's certificate, the authority, and the certificate.
async fn platform() -> (Platform, Authority, Identity) {
    let authority = Authority::new();
    let file = authority.file.to_str().expect("a path").to_owned();
    let platform = Platform::with_dispatcher(&[("SSL_CERT_FILE", &file)]).await;
    let identity = authority.issue(&["localhost"]);
    (platform, authority, identity)
}

fn url(port: u16) -> String {
    format!("https://localhost:{port}/hook")
}

/// Publishes an event and waits for the delivery: the connection is open then.
async fn warm_up(platform: &Platform, webhook: &str) {
    publish(platform).await;
    only_attempt(platform, webhook).await;
}

/// A response with `count` headers of `bytes` bytes each is a success.
async fn headers_are_taken(count: usize, bytes: usize) {
    let (platform, _authority, identity) = platform().await;
    let headers: Vec<_> = (0..count)
        .map(|number| (format!("x-header-{number}"), "x".repeat(bytes)))
        .collect();
    let script = move |_: Http2Stream| Http2Answer::AcceptWith(headers.clone());
    let receiver = Http2Receiver::deciding(&identity, script).await;
    create(&platform, &url(receiver.port), &policy(1, 2_000)).await;

    publish(&platform).await;

    all_succeed_at_once(&platform, 1).await;
    platform.end().await;
}

/// B3: 20 KB of headers are more than the usual 16 KB of HTTP/2 clients.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_http2_with_20_kb_of_headers_is_a_success() {
    headers_are_taken(40, 500).await;
}

/// B3 and B4 over HTTP/2: as many headers as over HTTP/1.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_http2_with_a_thousand_headers_is_a_success() {
    headers_are_taken(1_000, 100).await;
}

/// The streams that a receiver of HTTP/2 allows on a connection.
const STREAMS: usize = 128;

/// A receiver whose first connection leaves every request without a response, and a webhook whose
/// requests hang on nearly every stream of that connection.
async fn hanging_connection(platform: &Platform, identity: &Identity) -> (Http2Receiver, String) {
    let script = |stream: Http2Stream| match stream.connection {
        0 => Http2Answer::Wait,
        _ => Http2Answer::Accept,
    };
    let receiver = Http2Receiver::deciding(identity, script).await;
    let mut wide = policy(1, 30_000);
    wide["max_concurrency"] = json!(STREAMS);
    let hanging = create(platform, &url(receiver.port), &wide).await;
    publish_at_once(platform, STREAMS).await;
    let all_hang = async || receiver.streams() >= 100;
    platform.until("the requests hang", all_hang).await;
    (receiver, hanging)
}

/// When hanging requests have all streams of a connection, other webhooks of the receiver get another
/// connection.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_hang_on_every_stream_hold_up_no_other_webhook_of_their_receiver() {
    let (platform, _authority, identity) = platform().await;
    let (receiver, hanging) = hanging_connection(&platform, &identity).await;
    let healthy = create(&platform, &url(receiver.port), &policy(1, 2_000)).await;

    for _ in 0..STREAMS {
        publish(&platform).await;
    }

    let (world, database) = (&platform.world, &platform.world.database);
    world
        .becomes("events of the healthy webhook", 128, || {
            database.delivered_to(&healthy)
        })
        .await;
    assert_eq!(failed_attempts(&platform, &healthy).await, 0);
    assert_eq!(failed_attempts(&platform, &hanging).await, 0, "not yet");
    assert!(receiver.connections() > 1);
    platform.end().await;
}

/// B2 over HTTP/2: the head decides.
#[tokio::test(flavor = "multi_thread")]
async fn a_2xx_head_over_http2_is_a_success_although_the_stream_is_reset_later() {
    let (platform, _authority, identity) = platform().await;
    let receiver = Http2Receiver::deciding(&identity, |_| Http2Answer::AcceptThenReset).await;
    let webhook = create(&platform, &url(receiver.port), &policy(1, 2_000)).await;

    publish(&platform).await;

    let attempt = only_attempt(&platform, &webhook).await;
    assert_eq!(attempt["response_status"], 200, "{attempt}");
    assert!(attempt["failure_class"].is_null(), "{attempt}");
    assert_eq!(attempt["response_body_end"], "broken_off");
    platform.end().await;
}

/// B6: a server whose connections end after `requests` requests, as with nginx's `keepalive_requests`,
/// fails no attempt of `events` events.
async fn goes_away_after(requests: usize, events: usize) {
    let (platform, _authority, identity) = platform().await;
    let script = move |stream: Http2Stream| {
        if stream.number == requests {
            Http2Answer::GoAway
        } else {
            Http2Answer::Accept
        }
    };
    let receiver = Http2Receiver::deciding(&identity, script).await;
    create(&platform, &url(receiver.port), &policy(3, 2_000)).await;

    publish_at_once(&platform, events).await;

    all_succeed_at_once(&platform, i64::try_from(events).expect("a small count")).await;
    assert_eq!(receiver.accepted().len(), events, "each is processed once");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_after_ten_requests_fails_no_attempt() {
    goes_away_after(10, 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_after_a_thousand_requests_fails_no_attempt() {
    goes_away_after(1_000, 5_000).await;
}

/// A receiver whose worker processes end, with their connections, at every [`Reloading::reload`].
struct Reloading {
    receiver: Http2Receiver,
    /// Connections with lower numbers belong to workers that are to end.
    oldest: Arc<AtomicUsize>,
}

impl Reloading {
    async fn start(identity: &Identity) -> Self {
        let oldest: Arc<AtomicUsize> = Arc::default();
        let reloaded = oldest.clone();
        let script = move |stream: Http2Stream| {
            if stream.connection < reloaded.load(Ordering::SeqCst) {
                Http2Answer::GoAway
            } else {
                Http2Answer::Accept
            }
        };
        let receiver = Http2Receiver::deciding(identity, script).await;
        Self { receiver, oldest }
    }

    /// Ends the workers of all connections every 100 ms, for ever.
    async fn reload(&self) {
        let mut pause = tokio::time::interval(Duration::from_millis(100));
        loop {
            pause.tick().await;
            let all = self.receiver.connections();
            self.oldest.store(all, Ordering::SeqCst);
        }
    }
}

/// B6: a reload ends every connection, with requests on the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_reloads_under_load_fails_no_attempt() {
    let (platform, _authority, identity) = platform().await;
    let reloading = Reloading::start(&identity).await;
    let receiver = &reloading.receiver;
    create(&platform, &url(receiver.port), &policy(3, 2_000)).await;

    publish_at_once(&platform, 3_000).await;
    tokio::select! {
        () = reloading.reload() => {}
        () = all_succeed_at_once(&platform, 3_000) => {}
    }

    assert!(receiver.connections() > 1, "reloaded under load");
    assert_eq!(receiver.accepted().len(), 3_000, "each is processed once");
    platform.end().await;
}

/// B6: a refused stream was not processed (RFC 9113, 8.7), and goes out again inside the attempt.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_stream_is_sent_again_inside_the_attempt_and_told_in_the_attempt() {
    let (platform, _authority, identity) = platform().await;
    let script = |stream: Http2Stream| {
        if stream.connection == 0 && stream.number == 1 {
            Http2Answer::Refuse
        } else {
            Http2Answer::Accept
        }
    };
    let receiver = Http2Receiver::deciding(&identity, script).await;
    let webhook = create(&platform, &url(receiver.port), &policy(1, 2_000)).await;
    warm_up(&platform, &webhook).await;

    publish(&platform).await;

    all_succeed_at_once(&platform, 2).await;
    let attempt = only_attempt(&platform, &webhook).await;
    assert!(attempt["repeated"].is_string(), "{attempt}");
    assert_eq!(receiver.accepted().len(), 2);
    platform.end().await;
}

/// B6: of many streams at once, the refused streams are sent again over another connection.
#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_refused_at_full_speed_fail_no_attempt() {
    const EVENTS: usize = 500;
    let (platform, _authority, identity) = platform().await;
    let script = |stream: Http2Stream| {
        if stream.connection == 0 && stream.number % 5 == 4 {
            Http2Answer::Refuse
        } else {
            Http2Answer::Accept
        }
    };
    let receiver = Http2Receiver::deciding(&identity, script).await;
    create(&platform, &url(receiver.port), &policy(3, 2_000)).await;

    publish_at_once(&platform, EVENTS).await;

    all_succeed_at_once(&platform, 500).await;
    assert_eq!(receiver.accepted().len(), EVENTS, "each is processed once");
    platform.end().await;
}

/// A receiver whose first connection is lost once sixteen requests after the first share the
/// connection.
async fn receiver_that_loses_a_full_connection(identity: &Identity) -> Http2Receiver {
    let script = |stream: Http2Stream| match (stream.connection, stream.number, stream.open) {
        (0, 1.., 16..) => Http2Answer::Lose,
        (0, 1.., _) => Http2Answer::Wait,
        _ => Http2Answer::Accept,
    };
    Http2Receiver::deciding(identity, script).await
}

/// A lost connection is a single cause: of sixteen requests on the connection, only the first failure
/// counts against the receiver.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_with_sixteen_streams_is_one_step_towards_the_circuit() {
    let (platform, _authority, identity) = platform().await;
    let receiver = receiver_that_loses_a_full_connection(&identity).await;
    let mut patient = policy(3, 10_000);
    patient["retry_policy"]["initial_interval_ms"] = json!(3_600_000);
    let webhook = create(&platform, &url(receiver.port), &patient).await;
    warm_up(&platform, &webhook).await;

    publish_at_once(&platform, 16).await;

    let (world, database) = (&platform.world, &platform.world.database);
    world
        .becomes("tried deliveries", 17, || database.attempted())
        .await;
    assert!(receiver.streams() >= 17, "the requests share a connection");
    // An open circuit would hold the next event up, and a success resets the count.
    publish(&platform).await;
    let delivered_on_one_step = async || {
        let failures = database.failures_in_a_row().await;
        assert!(failures <= 1, "{failures} steps for a single connection");
        database.delivered().await >= 2
    };
    platform
        .until("the next event is delivered", delivered_on_one_step)
        .await;
    platform.end().await;
}

/// Two receivers behind a load balancer. New connections lead to the first receiver.
struct Balanced {
    frozen: Http2Receiver,
    alive: Http2Receiver,
    balancer: Proxy,
}

impl Balanced {
    async fn start(identity: &Identity) -> Self {
        let frozen = Http2Receiver::start(identity).await;
        let balancer = Proxy::to(frozen.port).await;
        Self {
            frozen,
            alive: Http2Receiver::start(identity).await,
            balancer,
        }
    }

    /// The URL of a webhook behind the balancer.
    fn at_path(&self, path: &str) -> String {
        format!("https://localhost:{}/{path}", self.balancer.port)
    }

    /// Freezes the first receiver. New connections lead to the second receiver.
    fn freeze(&self) {
        self.frozen.freeze();
        self.balancer.lead_to(self.alive.port);
    }
}

/// Publishes `count` events 100 ms apart. The pauses are the trial: they spread the events over two
/// timeouts.
async fn publish_steadily(platform: &Platform, count: usize) {
    for _ in 0..count {
        publish(platform).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Failed attempts that began more than 2.5 s after the first failed attempt. Requests on the way at
/// the first timeout run out of time as well: the requests of the next 2 s.
const LATE: &str = "SELECT count(*) FROM attempts WHERE failure_class IS NOT NULL AND started_at >
    (SELECT min(started_at) FROM attempts WHERE failure_class IS NOT NULL) + interval '2.5 s'";

/// B7: of two servers behind a load balancer, the connected server freezes.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_timeout_retires_a_connection_to_a_frozen_server() {
    let (platform, _authority, identity) = platform().await;
    let servers = Balanced::start(&identity).await;
    let urls = ["a", "b"].map(|path| servers.at_path(path));
    create_each(&platform, &urls, &policy(12, 2_000)).await;
    publish(&platform).await;
    all_succeed_at_once(&platform, 2).await;

    servers.freeze();
    publish_steadily(&platform, 40).await;

    let (world, database) = (&platform.world, &platform.world.database);
    let settled = async || {
        let late: i64 = database.ask(LATE).await;
        (late > 0 || database.delivered().await == 82).then_some(late)
    };
    let late = world.eventually("all are delivered", settled).await;
    assert_eq!(late, 0, "failed attempts after the first timeout");
    assert!(!servers.alive.accepted().is_empty());
    platform.end().await;
}

/// A ping finds a dead connection under a request, long before the timeout of the request.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_connection_is_found_by_its_ping_and_the_request_is_sent_again() {
    let (platform, _authority, identity) = platform().await;
    let servers = Balanced::start(&identity).await;
    let webhook = create(&platform, &servers.at_path("hook"), &policy(1, 30_000)).await;
    warm_up(&platform, &webhook).await;

    servers.freeze();
    publish(&platform).await;

    all_succeed_at_once(&platform, 2).await;
    let told = "SELECT max(duration_ms)::bigint FROM attempts";
    let longest: i64 = platform.world.database.ask(told).await;
    assert!((2_000..20_000).contains(&longest), "{longest} ms");
    assert_eq!(servers.alive.accepted().len(), 1);
    platform.end().await;
}
