//! Answers of receivers as the API and the portal show the answers: readable, bounded, and with the end
//! of the body. The bytes come from a real receiver through the real programs.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use webhook_tests::{Answer, Platform, Receiver, Visitor};

/// The first attempt of a delivery, as both doors show the attempt.
struct Shown {
    /// From the API.
    attempt: Value,
    /// The response's body on the page; `None`: the page shows none.
    body: Option<String>,
    /// The sentences under the body.
    hints: Vec<String>,
    /// The whole text of the page.
    page: String,
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// 200 with header lines and a body of `length` bytes, as the head says.
fn answer(headers: &str, body: &[u8], length: usize) -> Answer {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\ncontent-length: {length}\r\n\r\n");
    Answer::Raw([head.as_bytes(), body].concat())
}

/// Makes a platform and delivers an event to a receiver with a given answer.
async fn answered(headers: &str, body: &[u8], length: usize) -> Platform {
    let platform = Platform::new().await;
    let receiver = Receiver::scripted(vec![answer(headers, body, length)]).await;
    platform.webhook_at(&receiver.url).await;
    platform.publish_fresh().await;
    platform.delivered(1).await;
    platform
}

async fn read(platform: &Platform) -> Shown {
    let delivery = platform.read_deliveries().await.remove(0);
    let id = delivery["id"].as_str().expect("an id");
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;
    let page = visitor
        .get(&format!("/admin/webhook-deliveries/{id}?raw=1"))
        .await;
    assert_eq!(page.status(), 200);
    let page = Html::parse_document(&page.text().await.expect("text"));
    let texts = |selector: &str| -> Vec<String> {
        let selector = Selector::parse(selector).expect("a selector");
        page.select(&selector)
            .map(|found| found.text().collect())
            .collect()
    };
    Shown {
        attempt: delivery["attempts"][0].clone(),
        body: texts("#attempt-1-response").pop(),
        hints: texts("#attempt-1-said .hint"),
        page: texts("main").concat(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_gzip_is_shown_as_text_and_kept_in_gzip() {
    let body = gzip(br#"{"error":"try later"}"#);
    let headers = "content-type: application/json\r\ncontent-encoding: gzip";
    let platform = answered(headers, &body, body.len()).await;

    let shown = read(&platform).await;

    let text = r#"{"error":"try later"}"#;
    assert_eq!(shown.attempt["response_body"], text);
    assert_eq!(shown.attempt["response_body_decoded_from"], "gzip");
    assert_eq!(shown.attempt["response_body_bytes"], body.len());
    assert_eq!(shown.attempt["response_body_end"], "complete");
    assert_eq!(shown.attempt["response_body_truncated"], false);
    assert_eq!(shown.body.as_deref(), Some(text));
    assert_eq!(shown.hints, ["Shown decoded from gzip."]);
    let kept = "SELECT said FROM exchanges";
    let kept = platform.world.database.ask::<String>(kept).await;
    assert!(kept.contains(&BASE64_STANDARD.encode(&body)), "{kept}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_latin_1_is_shown_with_its_letters() {
    let body = b"Gr\xfc\xdfe aus K\xf6ln";
    let headers = "content-type: text/plain; charset=ISO-8859-1";
    let platform = answered(headers, body, body.len()).await;

    let shown = read(&platform).await;

    assert_eq!(shown.attempt["response_body"], "Grüße aus Köln");
    assert_eq!(shown.attempt["response_body_decoded_from"], "iso-8859-1");
    assert_eq!(shown.body.as_deref(), Some("Grüße aus Köln"));
    assert_eq!(shown.hints, ["Shown decoded from iso-8859-1."]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_cut_inside_a_character_ends_before_that_character() {
    let body = format!("x{}", "é".repeat(10_000));
    let platform = answered("content-type: text/plain", body.as_bytes(), body.len()).await;

    let shown = read(&platform).await;

    let text = format!("x{}", "é".repeat((16 * 1024 - 1) / 2));
    assert_eq!(shown.attempt["response_body"], text);
    assert_eq!(shown.attempt["response_body_bytes"], 16 * 1024);
    assert_eq!(shown.attempt["response_body_end"], "cut");
    assert_eq!(shown.attempt["response_body_truncated"], true);
    assert_eq!(shown.attempt["response_body_decoded_from"], Value::Null);
    assert_eq!(shown.body, Some(text));
    assert_eq!(shown.hints, ["Only the first 16 KiB are kept."]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decompression_bomb_is_shown_up_to_a_bound() {
    let body = gzip(&vec![b'x'; 12 << 20]);
    assert!(body.len() < 16 * 1024, "the body is kept whole");
    let platform = answered("content-encoding: gzip", &body, body.len()).await;

    let shown = read(&platform).await;

    let text = "x".repeat(64 * 1024);
    assert_eq!(shown.attempt["response_body"], text);
    assert_eq!(shown.attempt["response_body_end"], "complete");
    assert_eq!(shown.attempt["response_body_truncated"], true);
    assert_eq!(shown.body, Some(text));
    assert!(shown.hints[1].contains("decoding stops at 64 KiB"));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_delivered_and_shown_as_broken_off_when_the_body_of_the_answer_breaks_off() {
    let platform = answered("content-type: text/plain", b"ok", 10).await;

    let shown = read(&platform).await;

    assert_eq!(shown.attempt["failure_class"], Value::Null);
    assert_eq!(shown.attempt["response_body"], "ok");
    assert_eq!(shown.attempt["response_body_end"], "broken_off");
    assert_eq!(shown.attempt["response_body_truncated"], true);
    assert_eq!(shown.hints, ["The body broke off after 2 bytes."]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gzip_body_that_breaks_off_is_shown_up_to_the_break() {
    let numbers: Vec<String> = (0..3_000).map(|number| number.to_string()).collect();
    let text = numbers.join(" ");
    let body = gzip(text.as_bytes());
    let half = &body[..body.len() / 2];
    let platform = answered("content-encoding: gzip", half, body.len()).await;

    let shown = read(&platform).await;

    let told = shown.attempt["response_body"].as_str().expect("text");
    assert!(text.starts_with(told) && told.len() > 1_000, "{told}");
    assert_eq!(shown.attempt["response_body_end"], "broken_off");
    assert_eq!(shown.body.as_deref(), Some(told));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_twice_and_a_body_without_an_end_are_shown_with_the_reason() {
    let platform = answered("content-type: text/plain", b"ok", 2).await;
    let row = json!([{"url": "https://a.test/", "sent": [], "got": [], "body": "ok",
        "truncated": true, "end": "unfinished", "repeated": "the receiver had closed <the> connection"}]);
    let write = format!("UPDATE exchanges SET said = '{row}'");
    platform.world.database.execute(&write).await;

    let shown = read(&platform).await;

    let reason = "the receiver had closed <the> connection";
    assert_eq!(shown.attempt["response_body_end"], "unfinished");
    assert_eq!(shown.attempt["repeated"], reason);
    let hint = "The body did not end within the time to read it; these are its first 2 bytes.";
    assert_eq!(shown.hints, [hint]);
    assert!(shown.page.contains(&format!("Sent twice: {reason}.")));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_of_the_version_before_is_shown_as_cut() {
    let platform = answered("content-type: text/plain", b"ok", 2).await;
    let row = json!([{"url": "https://a.test/", "sent": [], "got": [], "body": "ok",
        "truncated": true}]);
    let write = format!("UPDATE exchanges SET said = '{row}'");
    platform.world.database.execute(&write).await;

    let shown = read(&platform).await;

    assert_eq!(shown.attempt["response_body_end"], "cut");
    assert_eq!(shown.attempt["repeated"], Value::Null);
    assert_eq!(shown.hints, ["Only the first 16 KiB are kept."]);
    platform.end().await;
}
