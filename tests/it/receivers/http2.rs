//! Receivers of HTTP/2: a request that the peer did not process is sent again at once, and a dead
//! connection costs only its own streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use webhook_domain::{Environment, Event, EventType};
use webhook_tests::{
    Authority, Http2Answer, Http2Receiver, Http2Stream, Identity, Platform, Proxy, event,
};

use crate::receivers::{
    all_succeed_at_once, create, failed_attempts, only_attempt, policy, publish,
};

/// A platform that trusts a receiver's certificate.
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

/// Publishes `count` events as fast as the broker confirms.
async fn publish_all(platform: &Platform, count: usize) {
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let events: Vec<Event> = (0..count)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect();
    let confirmed = publisher.publish_all(&events).await;
    assert!(confirmed.iter().all(Result::is_ok), "the broker has them");
    cancel.cancel();
}

/// Publishes an event and waits for the delivery, after which the connection is open.
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

/// B3: 20 KB of headers are more than the 16 KB that clients of HTTP/2 often allow.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_http2_with_20_kb_of_headers_is_a_success() {
    headers_are_taken(40, 500).await;
}

/// B3 and B4 over HTTP/2: as many headers as over HTTP/1.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_http2_with_a_thousand_headers_is_a_success() {
    headers_are_taken(1_000, 100).await;
}

/// A connection has as many streams as the receiver allows. When hanging requests have all of them,
/// other webhooks of the receiver get another connection.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_hang_on_every_stream_hold_up_no_other_webhook_of_their_receiver() {
    const STREAMS: usize = 128;
    let (platform, _authority, identity) = platform().await;
    let script = |stream: Http2Stream| match stream.connection {
        0 => Http2Answer::Wait,
        _ => Http2Answer::Accept,
    };
    let receiver = Http2Receiver::deciding(&identity, script).await;
    let mut wide = policy(1, 30_000);
    wide["max_concurrency"] = json!(STREAMS);
    let hanging = create(&platform, &url(receiver.port), &wide).await;
    publish_all(&platform, STREAMS).await;
    let all_hang = async || (receiver.streams() >= 100).then_some(());
    platform.world.eventually("they hang", all_hang).await;

    let healthy = create(&platform, &url(receiver.port), &policy(1, 2_000)).await;
    for _ in 0..STREAMS {
        publish(&platform).await;
    }

    let world = &platform.world;
    let arrived = async || {
        let sql = format!(
            "SELECT count(*) FROM deliveries WHERE webhook_id = '{healthy}' AND status = 'succeeded'"
        );
        (world.database.ask::<i64>(&sql).await == 128).then_some(())
    };
    world
        .eventually("the other webhook has its own", arrived)
        .await;
    assert_eq!(failed_attempts(&platform, &healthy).await, 0);
    assert_eq!(failed_attempts(&platform, &hanging).await, 0, "not yet");
    assert!(receiver.connections() > 1);
    platform.end().await;
}

/// B2 over HTTP/2: the head decides.
#[tokio::test(flavor = "multi_thread")]
async fn a_2xx_head_over_http2_is_a_success_although_the_stream_is_reset_after_it() {
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

/// B6: a server that goes away after `requests` requests of a connection, as nginx does after
/// `keepalive_requests`, fails no attempt of `events` events.
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

    publish_all(&platform, events).await;

    all_succeed_at_once(&platform, i64::try_from(events).expect("it is small")).await;
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

/// B6: a reload ends every connection in the middle of its work.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_reloads_under_load_fails_no_attempt() {
    const EVENTS: usize = 3_000;
    let (platform, _authority, identity) = platform().await;
    // Connections with lower numbers belong to workers that are to end.
    let oldest = Arc::new(AtomicUsize::new(0));
    let reloaded = oldest.clone();
    let script = move |stream: Http2Stream| {
        if stream.connection < reloaded.load(Ordering::SeqCst) {
            Http2Answer::GoAway
        } else {
            Http2Answer::Accept
        }
    };
    let receiver = Http2Receiver::deciding(&identity, script).await;
    create(&platform, &url(receiver.port), &policy(3, 2_000)).await;

    publish_all(&platform, EVENTS).await;
    let reload = async {
        let mut pause = tokio::time::interval(Duration::from_millis(100));
        loop {
            pause.tick().await;
            oldest.store(receiver.connections(), Ordering::SeqCst);
        }
    };
    tokio::select! {
        () = reload => {}
        () = all_succeed_at_once(&platform, 3_000) => {}
    }

    assert!(receiver.connections() > 1, "it reloaded under load");
    assert_eq!(receiver.accepted().len(), EVENTS, "each is processed once");
    platform.end().await;
}

/// B6: a refused stream was not processed (RFC 9113, 8.7), and goes out again inside the attempt.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_stream_is_sent_again_inside_the_attempt_which_tells_it() {
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

/// B6: of many streams at once, the refused ones are sent again over another connection.
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

    publish_all(&platform, EVENTS).await;

    all_succeed_at_once(&platform, 500).await;
    assert_eq!(receiver.accepted().len(), EVENTS, "each is processed once");
    platform.end().await;
}

/// One lost connection is one cause: of sixteen requests that end with the connection, only the first
/// counts against the receiver.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_with_sixteen_streams_is_one_step_towards_the_circuit() {
    let (platform, _authority, identity) = platform().await;
    let script = |stream: Http2Stream| match (stream.connection, stream.number, stream.open) {
        (0, 1.., 16..) => Http2Answer::Lose,
        (0, 1.., _) => Http2Answer::Wait,
        _ => Http2Answer::Accept,
    };
    let receiver = Http2Receiver::deciding(&identity, script).await;
    let mut patient = policy(3, 10_000);
    patient["retry_policy"]["initial_interval_ms"] = json!(3_600_000);
    let webhook = create(&platform, &url(receiver.port), &patient).await;
    warm_up(&platform, &webhook).await;

    publish_all(&platform, 16).await;

    let world = &platform.world;
    let tried = async || (world.database.attempted().await == 17).then_some(());
    world.eventually("all are tried", tried).await;
    assert!(receiver.streams() >= 17, "they shared a connection");
    // An open circuit would hold the next event up, and a success resets the count.
    publish(&platform).await;
    let steps = async || {
        let failures = world.database.failures_in_a_row().await;
        assert!(failures <= 1, "{failures} steps for one connection");
        (world.database.delivered().await >= 2).then_some(())
    };
    world.eventually("the next event is delivered", steps).await;
    platform.end().await;
}

/// B7: of two servers behind a load balancer, the connected server freezes.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_timeout_retires_a_connection_to_a_frozen_server() {
    let (platform, _authority, identity) = platform().await;
    let frozen = Http2Receiver::start(&identity).await;
    let alive = Http2Receiver::start(&identity).await;
    let balancer = Proxy::to(frozen.port).await;
    for path in ["a", "b"] {
        let url = format!("https://localhost:{}/{path}", balancer.port);
        create(&platform, &url, &policy(12, 2_000)).await;
    }
    publish(&platform).await;
    all_succeed_at_once(&platform, 2).await;

    frozen.freeze();
    balancer.lead_to(alive.port);
    for _ in 0..40 {
        publish(&platform).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    // Requests that were sent before the first timeout run out of time as well: those of the next 2 s.
    let late = "SELECT count(*) FROM attempts WHERE failure_class IS NOT NULL AND started_at >
        (SELECT min(started_at) FROM attempts WHERE failure_class IS NOT NULL) + interval '2.5 s'";
    let world = &platform.world;
    let settled = async || {
        let late: i64 = world.database.ask(late).await;
        (late > 0 || world.database.delivered().await == 82).then_some(late)
    };
    let late = world.eventually("all are delivered", settled).await;
    assert_eq!(late, 0, "attempts that failed after the first timeout");
    assert!(!alive.accepted().is_empty());
    platform.end().await;
}

/// A ping finds a connection that died under a request, long before the timeout of the request.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_connection_is_found_by_its_ping_and_the_request_is_sent_again() {
    let (platform, _authority, identity) = platform().await;
    let frozen = Http2Receiver::start(&identity).await;
    let alive = Http2Receiver::start(&identity).await;
    let balancer = Proxy::to(frozen.port).await;
    let url = format!("https://localhost:{}/hook", balancer.port);
    let webhook = create(&platform, &url, &policy(1, 30_000)).await;
    warm_up(&platform, &webhook).await;

    frozen.freeze();
    balancer.lead_to(alive.port);
    publish(&platform).await;

    all_succeed_at_once(&platform, 2).await;
    let told = "SELECT max(duration_ms)::bigint FROM attempts";
    let longest: i64 = platform.world.database.ask(told).await;
    assert!((2_000..20_000).contains(&longest), "{longest} ms");
    assert_eq!(alive.accepted().len(), 1);
    platform.end().await;
}
