//! Heads of answers: large, sloppy, or no HTTP at all.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;
use webhook_tests::{Answer, Platform, Receiver, Then};

use crate::receivers::{attempt_each, create_each, once};

/// The only attempt at a receiver for each answer. The receiver closes the connection after the answer.
async fn attempts<const N: usize>(answers: [(&'static str, String); N]) -> Vec<(String, Value)> {
    let platform = Platform::with_dispatcher(&[]).await;
    let names = answers.each_ref().map(|(name, _)| (*name).to_owned());
    let mut urls = Vec::new();
    for (_, answer) in answers {
        let script = move |_: usize, _: &_| Answer::bytes(answer.clone(), Then::Close);
        urls.push(Receiver::deciding(script).await.url);
    }
    let webhooks = create_each(&platform, &urls, &once()).await;
    let attempts = attempt_each(&platform, &webhooks).await;
    platform.end().await;
    names.into_iter().zip(attempts).collect()
}

/// A 200 with the header `lines`.
fn ok_with(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\nok")
}

fn headers(count: usize) -> String {
    (0..count).fold(String::new(), |mut lines, number| {
        write!(lines, "x-header-{number}: value\r\n").expect("a String takes any text");
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

/// B4: a line without a header does not change the status above the line.
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

/// Answers that are no HTTP, by name.
const NO_HTTP: [(&str, &str); 4] = [
    (
        "HTTP/1.0 with chunks",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ),
    (
        "two lengths",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    ),
    (
        "status 2000",
        "HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok",
    ),
    ("SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
];

/// B5: an answer that is no HTTP fails with a class of its own, and with a sentence for each fault.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_http_is_a_failure_of_the_protocol_and_told_by_name() {
    let attempts = attempts(NO_HTTP.map(|(name, answer)| (name, answer.to_owned()))).await;

    for (name, attempt) in &attempts {
        assert_eq!(attempt["failure_class"], "protocol", "{name}: {attempt}");
    }
    let sentence = |(_, attempt): &(String, Value)| attempt["failure_detail"].to_string();
    let sentences: BTreeSet<String> = attempts.iter().map(sentence).collect();
    assert_eq!(sentences.len(), 4, "each is told by name: {sentences:?}");
    let ssh = attempts[3].1["failure_detail"].as_str();
    assert!(ssh.expect("a sentence").contains("HTTP"), "{ssh:?}");
}
