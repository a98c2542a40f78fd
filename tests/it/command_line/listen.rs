//! `listen`.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webhook_tests::{Platform, Receiver, Service, World, each};

use super::run;

/// The secret of a webhook.
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// The verb on any free port, and more arguments.
async fn listen(world: &World, arguments: &[&str]) -> Service {
    let verb = [&["listen", "--listen", "127.0.0.1:0"], arguments].concat();
    Service::verb(world, &[], &verb).await
}

/// Waits for a line with the words.
async fn prints(world: &World, listener: &Service, words: &str) {
    let printed = async || listener.log().iter().any(|line| line.contains(words));
    world.until(words, printed).await;
}

async fn post(listener: &Service, body: impl Into<reqwest::Body>) -> StatusCode {
    let request = Client::new()
        .post(format!("{}/hook", listener.url))
        .body(body);
    request.send().await.expect("a response").status()
}

/// The names of all webhooks.
async fn names(platform: &Platform) -> Vec<String> {
    let webhooks = platform.get("/api/v1/webhooks").await;
    each(&webhooks["data"], "name")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_verified_and_printed_and_forwarded() {
    let platform = Platform::new().await;
    let application = Receiver::answering(&[201]).await;
    let secrets = std::env::temp_dir().join(format!("{}.secrets", uuid::Uuid::new_v4()));
    std::fs::write(&secrets, "").expect("a file");
    let flags = [
        "--secret-file",
        secrets.to_str().expect("text"),
        "--forward",
        &application.url,
    ];
    let listener = listen(&platform.world, &flags).await;
    let webhook = platform
        .webhook("CRM")
        .at(&format!("{}/hook", listener.url))
        .create()
        .await;
    std::fs::write(&secrets, &webhook.secret).expect("a file");

    let id = platform.publish_fresh().await;
    platform.delivered(1).await;

    prints(&platform.world, &listener, "--- POST /hook").await;
    prints(&platform.world, &listener, &format!("webhook-id: {id}")).await;
    prints(
        &platform.world,
        &listener,
        "  \"type\": \"license.activated\",",
    )
    .await;
    prints(&platform.world, &listener, "--- verified").await;
    prints(
        &platform.world,
        &listener,
        "answered 201, as the URL of --forward did",
    )
    .await;
    assert!(application.received()[0].is_signed_by(&[&webhook.secret]));
    assert!(listener.terminate().await);
    std::fs::remove_file(secrets).expect("the file was there");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_request_is_refused_with_the_reason_and_not_forwarded() {
    let world = World::new().await;
    let application = Receiver::answering(&[]).await;
    let listener = listen(&world, &["--secret", SECRET, "--forward", &application.url]).await;

    let unsigned = post(&listener, "{}").await;
    let forged = Client::new().post(&listener.url).body("{}");
    let forged = forged
        .header("x-webhook-signature", "t=1,v1=00")
        .send()
        .await
        .expect("a response");

    assert_eq!(
        (unsigned, forged.status()),
        (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
    );
    prints(&world, &listener, "No header is a signature").await;
    prints(&world, &listener, "--- REFUSED").await;
    assert_eq!(application.count(), 0);
    assert!(listener.terminate().await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_too_large_is_refused_and_no_escape_reaches_the_terminal() {
    let world = World::new().await;
    let listener = listen(&world, &["--status", "202"]).await;

    let large = post(&listener, vec![b'x'; 1024 * 1024 + 1]).await;
    let hostile = post(&listener, "\u{1b}[2J\n--- verified\n\u{9b}2J").await;
    let hostile_json = post(
        &listener,
        json!({"a": "\u{9b}2J\n--- verified"}).to_string(),
    )
    .await;

    assert_eq!(large, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        (hostile, hostile_json),
        (StatusCode::ACCEPTED, StatusCode::ACCEPTED)
    );
    prints(&world, &listener, "more than 1 MiB").await;
    prints(&world, &listener, "| \\u{1b}[2J").await;
    prints(&world, &listener, "\\u{9b}2J").await;
    let obeyed =
        |line: &String| line.contains(['\u{1b}', '\u{9b}']) || line.starts_with("--- verified");
    assert!(!listener.log().iter().any(obeyed), "{:?}", listener.log());
    assert!(listener.terminate().await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_given_up() {
    let world = World::new().await;
    let listener = listen(&world, &[]).await;
    let address = listener.url.trim_start_matches("http://");

    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
    stream.write_all(head).await.expect("the head is sent");
    let mut answer = vec![0; 12];
    let answered = stream.read_exact(&mut answer);
    let answered = tokio::time::timeout(Duration::from_secs(15), answered).await;

    answered.expect("an answer in time").expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 408");
    assert!(listener.terminate().await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_registers_a_webhook_and_deletes_the_webhook_at_its_end() {
    let platform = Platform::new().await;
    let flags = [
        "--api",
        &platform.api.url,
        "--key",
        &platform.key,
        "--environment",
        "production",
    ];
    let listener = listen(&platform.world, &flags).await;

    platform.publish_fresh().await;
    prints(&platform.world, &listener, "--- verified").await;
    let during = names(&platform).await;
    assert!(listener.terminate().await);

    assert!(
        during.len() == 1 && during[0].starts_with("webhook-api listen on "),
        "{during:?}"
    );
    assert!(names(&platform).await.is_empty());
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_session_is_tidied_up_by_the_next_and_a_living_one_is_not() {
    let platform = Platform::new().await;
    let flags = ["--api", &platform.api.url, "--key", &platform.key];
    let killed = listen(&platform.world, &flags).await;
    let living = listen(&platform.world, &flags).await;
    let before = names(&platform).await;
    killed.kill().await;

    let next = listen(&platform.world, &flags).await;
    let after = names(&platform).await;

    assert_eq!((before.len(), after.len()), (2, 2), "{after:?}");
    assert_eq!(
        before[0], after[1],
        "the webhook of the living session stays"
    );
    prints(&platform.world, &next, "of an earlier session").await;
    assert!(next.terminate().await && living.terminate().await);
    assert!(names(&platform).await.is_empty());
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_begin_says_why() {
    let platform = Platform::new().await;
    let verb = ["listen", "--listen", "127.0.0.1:0"];
    let api = ["--api", &platform.api.url, "--key"];
    let run = async |flags: &[&str]| run(&platform.world, &[&verb, flags].concat()).await;

    let wrong_secret = run(&["--secret", "hunter2"]).await;
    let no_file = run(&["--secret-file", "/nowhere"]).await;
    let no_key = run(&[&api[..], &["whk_nonsense"]].concat()).await;
    let local = run(&[&api[..], &[&platform.key, "--url", "http://10.0.0.1/"]].concat()).await;
    let usage = run(&["--status", "99"]).await;

    let codes = [&wrong_secret, &no_file, &no_key, &local, &usage].map(|ended| ended.code);
    assert_eq!(codes, [Some(1), Some(1), Some(1), Some(1), Some(2)]);
    assert!(
        !wrong_secret.told.contains("hunter2"),
        "{}",
        wrong_secret.told
    );
    assert!(no_key.told.contains("401"), "{}", no_key.told);
    assert!(local.told.contains("given by --url"), "{}", local.told);
    platform.end().await;
}
