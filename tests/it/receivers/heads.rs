//! Heads of answers that are large, sloppy, or no HTTP at all.

use std::fmt::Write;

use serde_json::Value;
use webhook_tests::{Answer, Platform, Receiver, Then};

use crate::receivers::{create, once, only_attempt, publish};

/// The only attempt at a receiver with each answer, after which it closes the connection.
async fn attempts<const N: usize>(answers: [(&'static str, String); N]) -> Vec<(String, Value)> {
    let platform = Platform::with_dispatcher(&[]).await;
    let mut webhooks = Vec::new();
    for (name, answer) in answers {
        let script = move |_: usize, _: &_| Answer::bytes(answer.clone(), Then::Close);
        let receiver = Receiver::deciding(script).await;
        let webhook = create(&platform, &receiver.url, &once()).await;
        webhooks.push((name.to_owned(), webhook));
    }
    publish(&platform).await;
    let mut attempts = Vec::new();
    for (name, webhook) in webhooks {
        attempts.push((name, only_attempt(&platform, &webhook).await));
    }
    platform.end().await;
    attempts
}

/// A 200 with these header lines.
fn ok_with(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\nok")
}

fn headers(count: usize) -> String {
    (0..count).fold(String::new(), |mut lines, number| {
        write!(lines, "x-header-{number}: value\r\n").expect("a String takes it");
        lines
    })
}

fn all_succeeded(attempts: &[(String, Value)]) {
    let failed: Vec<_> = attempts
        .iter()
        .filter(|(_, attempt)| !attempt["failure_class"].is_null())
        .map(|(name, attempt)| (name, &attempt["failure_class"], &attempt["failure_detail"]))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// B3: proxies and frameworks add headers by the hundred.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_a_thousand_headers_is_a_success() {
    let answers = [
        ("101 headers", ok_with(&headers(101))),
        ("1,000 headers", ok_with(&headers(1_000))),
        (
            "a header of 20 KB",
            ok_with(&format!("x: {}\r\n", "x".repeat(20_000))),
        ),
    ];

    all_succeeded(&attempts(answers).await);
}

/// B4: a line that is no header says nothing about the status above it.
#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_no_headers_do_not_turn_a_200_into_a_failure() {
    let answers = [
        (
            "a warning of PHP",
            ok_with("PHP Warning: x in y on line 0\r\n"),
        ),
        ("a name with a space", ok_with("Bad Name: 1\r\n")),
        ("a space before the colon", ok_with("X-A : 1\r\n")),
        ("a folded line", ok_with("X-A: 1\r\n  and more\r\n")),
    ];

    all_succeeded(&attempts(answers).await);
}

/// B5: an answer that is no HTTP is told as such, in a sentence that says what it was.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_http_is_a_failure_of_the_protocol_and_told_by_name() {
    let chunked = "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let lengths = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok";
    let status = "HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok";
    let answers = [
        ("HTTP/1.0 with chunks", chunked.to_owned()),
        ("two lengths", lengths.to_owned()),
        ("status 2000", status.to_owned()),
        ("SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_owned()),
    ];

    let attempts = attempts(answers).await;

    let classes: Vec<_> = attempts
        .iter()
        .map(|(name, attempt)| (name.as_str(), attempt["failure_class"].as_str()))
        .collect();
    let right: Vec<_> = attempts
        .iter()
        .map(|(name, _)| (name.as_str(), Some("protocol")))
        .collect();
    assert_eq!(classes, right);
    let mut sentences: Vec<_> = attempts
        .iter()
        .map(|(_, attempt)| attempt["failure_detail"].as_str().expect("a sentence"))
        .collect();
    assert!(sentences[3].contains("HTTP"), "{sentences:?}");
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), 4, "each is told by name: {sentences:?}");
}
