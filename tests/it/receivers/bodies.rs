//! The part of an answer after the head.

use std::time::Duration;

use serde_json::Value;
use webhook_tests::{Answer, Platform, Receiver, Then};

use crate::receivers::{attempt_each, create, create_each, once, only_attempt, publish};

/// The bodies of answers, and the end of each body as the attempt names the end.
const BODIES: [(&str, &str); 7] = [
    ("complete", "complete"),
    ("longer than is kept", "cut"),
    ("closed in the middle", "broken_off"),
    ("without an end", "unfinished"),
    ("two of a hundred bytes", "unfinished"),
    ("a byte a second", "unfinished"),
    ("an event stream", "unfinished"),
];

fn body(name: &str) -> Answer {
    let hundred = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    let endless = |head: &str, piece: &str, pause: u64| {
        let pieces = (0..100).map(|_| (Duration::from_millis(pause), piece.into()));
        let head = (Duration::ZERO, head.into());
        Answer::Pieces(std::iter::once(head).chain(pieces).collect(), Then::Hold)
    };
    match name {
        "complete" => Answer::Status(200),
        "longer than is kept" => Answer::Long(1_000_000),
        "closed in the middle" => Answer::bytes(format!("{hundred}ok"), Then::Close),
        "without an end" => Answer::bytes("HTTP/1.1 200 OK\r\n\r\n", Then::Hold),
        "two of a hundred bytes" => Answer::bytes(format!("{hundred}ok"), Then::Hold),
        "a byte a second" => endless(hundred, "x", 1_000),
        "an event stream" => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                        transfer-encoding: chunked\r\n\r\n";
            endless(head, "9\r\ndata: x\n\n\r\n", 100)
        }
        other => panic!("unknown body: {other}"),
    }
}

/// The only attempt at a receiver of each of [`BODIES`].
async fn attempts() -> Vec<Value> {
    let platform = Platform::with_dispatcher(&[]).await;
    let mut urls = Vec::new();
    for (name, _) in BODIES {
        urls.push(Receiver::deciding(move |_, _| body(name)).await.url);
    }
    let webhooks = create_each(&platform, &urls, &once()).await;
    let attempts = attempt_each(&platform, &webhooks).await;
    platform.end().await;
    attempts
}

/// B2: a 2xx head is a success, however the body ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_2xx_head_is_a_success_however_the_body_ends() {
    for ((name, _), attempt) in BODIES.iter().zip(attempts().await) {
        assert_eq!(attempt["response_status"], 200, "{name}: {attempt}");
        assert!(attempt["failure_class"].is_null(), "{name}: {attempt}");
    }
}

/// B2: the attempt tells how the body ended.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_tells_how_the_body_of_its_answer_ended() {
    let attempts = attempts().await;

    let told = BODIES.iter().zip(&attempts);
    let told: Vec<_> = told
        .map(|((name, _), attempt)| (*name, attempt["response_body_end"].as_str()))
        .collect();
    assert_eq!(told, BODIES.map(|(name, end)| (name, Some(end))));
}

/// B2: the head decides over a failure, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_500_whose_body_never_ends_is_a_failed_status_and_no_timeout() {
    let platform = Platform::with_dispatcher(&[]).await;
    let script = |_: usize, _: &_| {
        let head = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 100\r\n\r\nok";
        Answer::bytes(head, Then::Hold)
    };
    let receiver = Receiver::deciding(script).await;
    let webhook = create(&platform, &receiver.url, &once()).await;

    publish(&platform).await;

    let attempt = only_attempt(&platform, &webhook).await;
    assert_eq!(attempt["failure_class"], "status", "{attempt}");
    assert_eq!(attempt["response_status"], 500);
    platform.end().await;
}
