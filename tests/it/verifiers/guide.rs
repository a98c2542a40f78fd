//! The code blocks of the guide to verifying, run against requests from the platform.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use http::{HeaderMap, HeaderName};
use serde_json::json;
use webhook_domain::{EventId, SigningSecret, sign};
use webhook_tests::{Platform, Received, Receiver, new_secret, path_of};

use crate::verifiers::installed::{here, installed, is_there, must, run};

#[path = "../../verifiers/by_hand.rs"]
#[allow(unreachable_pub, reason = "the text of the guide")]
mod by_hand;
#[path = "../../verifiers/with_library.rs"]
#[allow(unreachable_pub, reason = "the text of the guide")]
mod with_library;

const GUIDE: &str = include_str!("../../../docs/verifying.md");

/// How the blocks of a language are built and run.
struct Language {
    /// The program to be installed.
    program: &'static str,
    /// The file for the block, and the text before the block.
    file: &'static str,
    head: &'static str,
    /// The program around the block: checks a request.
    ask: &'static str,
    /// The command to build once, and the command for each request.
    build: &'static str,
    run: &'static str,
}

const PYTHON: Language = Language {
    program: "python3",
    file: "verify.py",
    head: "",
    ask: "ask.py",
    build: "true",
    run: "python ask.py",
};

const NODE: Language = Language {
    program: "node",
    file: "verify.mjs",
    head: "",
    ask: "ask.mjs",
    build: "true",
    run: "node ask.mjs",
};

const GO: Language = Language {
    program: "go",
    file: "verify.go",
    head: "package main\n\n",
    ask: "ask.go",
    build: "go build -o ask ask.go verify.go",
    run: "./ask",
};

const PHP: Language = Language {
    program: "php",
    file: "verify.php",
    head: "<?php\n\n",
    ask: "ask.php",
    build: "true",
    run: "php ask.php",
};

const RUBY: Language = Language {
    program: "ruby",
    file: "verify.rb",
    head: "",
    ask: "ask.rb",
    build: "true",
    run: "ruby ask.rb",
};

const JAVA: Language = Language {
    program: "javac",
    file: "Webhooks.java",
    head: "",
    ask: "Ask.java",
    build: "javac Ask.java Webhooks.java",
    run: "java -Xshare:auto -XX:TieredStopAtLevel=1 Ask",
};

/// The blocks to be run, by headings.
const BLOCKS: [(&str, &str, &Language); 12] = [
    ("Python", "With a library", &PYTHON),
    ("Python", "By hand", &PYTHON),
    ("Node", "With a library", &NODE),
    ("Node", "By hand", &NODE),
    ("Go", "By hand", &GO),
    ("PHP", "By hand", &PHP),
    ("Ruby", "By hand", &RUBY),
    ("Java", "By hand", &JAVA),
    (
        "X-Webhook-Signature",
        "Python with Stripe's library",
        &PYTHON,
    ),
    ("X-Webhook-Signature", "Python by hand", &PYTHON),
    ("X-Webhook-Signature", "Node with Stripe's library", &NODE),
    ("X-Webhook-Signature", "Node by hand", &NODE),
];

/// A request, the secret of the receiver, and the expected result.
struct Case {
    what: &'static str,
    secret: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
    expected: &'static str,
}

/// The code under two headings of the guide.
fn block(section: &str, subsection: &str) -> &'static str {
    let after = |text: &'static str, mark: &str| {
        let found = text.split_once(mark);
        found
            .unwrap_or_else(|| panic!("the guide has no {mark:?}"))
            .1
    };
    let text = after(
        after(GUIDE, &format!("\n## {section}\n")),
        &format!("\n### {subsection}\n"),
    );
    let code = after(after(text, "\n```"), "\n");
    code.split_once("```").expect("the block ends").0
}

/// Publishes an event and returns the request for the event.
async fn next(platform: &Platform, receiver: &Receiver) -> Received {
    let before = receiver.count();
    platform.publish_fresh().await;
    let arrived = async || receiver.received().into_iter().nth(before);
    let world = &platform.world;
    world.eventually("the request arrives", arrived).await
}

/// Requests from before and during a rotation of the secret, and forgeries of the requests.
async fn cases() -> Vec<Case> {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    let old = webhook["secret"].as_str().expect("a secret").to_owned();
    let before = next(&platform, &receiver).await;
    let (_, rotated) = platform
        .post(&(path_of(&webhook) + "/secret/rotate"), &json!({}))
        .await;
    let new = rotated["secret"].as_str().expect("a secret").to_owned();
    let during = next(&platform, &receiver).await;
    platform.end().await;
    let case = |what, secret: &str, request: &Received, expected| Case {
        what,
        secret: secret.to_owned(),
        headers: request.headers.clone(),
        body: request.body.clone(),
        expected,
    };
    let mut changed = before.clone();
    changed.body[40] ^= 1;
    let stale = stale(&before, &old);
    vec![
        case("as it arrived", &old, &before, "accepted"),
        case("the first signature", &new, &during, "accepted"),
        case("the second signature", &old, &during, "accepted"),
        case("a changed byte", &old, &changed, "refused"),
        case("an old timestamp", &old, &stale, "refused"),
        case("another secret", new_secret().reveal(), &before, "refused"),
    ]
}

/// The request with a signature of more than five minutes before.
fn stale(request: &Received, secret: &str) -> Received {
    let secret = SigningSecret::parse(secret).expect("a webhook secret");
    let id: EventId = request.headers["webhook-id"].parse().expect("an id");
    let at = chrono::Utc::now().timestamp() - 301;
    let signatures = sign([&secret].into_iter(), id, at, &request.body);
    let mut stale = request.clone();
    for (name, value) in [
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", signatures.standard),
        ("x-webhook-signature", signatures.platform),
    ] {
        stale.headers.insert(name.to_owned(), value);
    }
    stale
}

/// Writes a block and the program around the block into a folder, and returns the result for each case.
fn ask(folder: &Path, code: &str, language: &Language, cases: &[Case]) -> Vec<String> {
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join(language.file), language.head.to_owned() + code).expect("space");
    let ask = here().join("ask").join(language.ask);
    std::fs::copy(ask, folder.join(language.ask)).expect("the program around the block is copied");
    let command = |line: &str| {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().expect("a program"));
        command
            .args(words)
            .env("PATH", installed().path())
            .current_dir(folder);
        command
    };
    must(&run(&mut command(language.build), b""));
    let said = cases.iter().map(|case| {
        let headers = [
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "x-webhook-signature",
        ];
        let headers = headers.map(|name| case.headers[name].as_str());
        let mut command = command(language.run);
        must(&run(command.arg(&case.secret).args(headers), &case.body))
    });
    said.map(|said| said.trim().to_owned()).collect()
}

fn expected(cases: &[Case]) -> Vec<&'static str> {
    cases.iter().map(|case| case.expected).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_blocks_accept_real_requests_and_refuse_forgeries() {
    let cases = cases().await;
    let asking = tokio::task::spawn_blocking(move || {
        for (number, (section, subsection, language)) in BLOCKS.iter().enumerate() {
            if !is_there(language.program) {
                // Written past the capture of test output: a skipped language is seen.
                let skipped = format!("not run, there is no {}: {section}\n", language.program);
                std::io::stderr()
                    .write_all(skipped.as_bytes())
                    .expect("standard error is open");
                continue;
            }
            let folder = installed().folder.join(number.to_string());

            let said = ask(&folder, block(section, subsection), language, &cases);

            let whats: Vec<&str> = cases.iter().map(|case| case.what).collect();
            assert_eq!(said, expected(&cases), "{section}, {subsection}: {whats:?}");
        }
    });
    asking.await.expect("no panic");
}

/// The headers of a case in the form of an HTTP framework.
fn headers(case: &Case) -> HeaderMap {
    let headers = case.headers.iter().map(|(name, value)| {
        let name: HeaderName = name.parse().expect("a name");
        (name, value.parse().expect("a value"))
    });
    headers.collect()
}

/// The results of a function of the guide in Rust.
fn said(cases: &[Case], accepts: impl Fn(&Case) -> bool) -> Vec<&'static str> {
    let said = |case| if accepts(case) { "accepted" } else { "refused" };
    cases.iter().map(said).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_rust_accepts_real_requests_and_refuses_forgeries() {
    let cases = cases().await;

    let by_hand = said(&cases, |case| {
        by_hand::verify(&case.secret, &headers(case), &case.body).is_some()
    });
    let with_library = said(&cases, |case| {
        with_library::verify(&case.secret, &headers(case), &case.body).is_ok()
    });

    assert_eq!(by_hand, expected(&cases));
    assert_eq!(with_library, expected(&cases));
}

#[test]
fn the_guides_rust_is_the_rust_that_is_tested() {
    let by_hand = include_str!("../../verifiers/by_hand.rs");
    let with_library = include_str!("../../verifiers/with_library.rs");

    assert_eq!(block("Rust", "By hand"), by_hand);
    assert_eq!(block("Rust", "With a library"), with_library);
}
