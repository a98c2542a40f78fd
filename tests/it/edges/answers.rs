use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use webhook_tests::{Answer, Platform, Receiver, TlsReceiver, Visitor};

use super::{arrive, good, platform};

/// Asserts that the API and the portal show every delivery, and returns the deliveries.
async fn assert_readable(platform: &Platform) -> Vec<Value> {
    let deliveries = platform.read_deliveries().await;
    assert!(!deliveries.is_empty());
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;
    for delivery in &deliveries {
        page_of(&visitor, delivery).await;
    }
    deliveries
}

/// The portal's page of a delivery.
async fn page_of(visitor: &Visitor, delivery: &Value) -> String {
    let id = delivery["id"].as_str().expect("an id");
    let path = format!("/admin/webhook-deliveries/{id}");
    let page = visitor.get(&path).await;
    assert_eq!(page.status(), 200, "{id}");
    page.text().await.expect("text")
}

/// A 500 with a long header and `body`.
fn raw(body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: {}\r\nserver: {}\r\n\r\n",
        body.len(),
        "é".repeat(4_000)
    );
    Answer::Raw([head.as_bytes(), body].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zero_byte_in_an_answer_hides_no_delivery() {
    let platform = Platform::new().await;
    let zero_byte = Receiver::deciding(|_, _| raw(b"a\0b")).await;
    let no_text = Receiver::deciding(|_, _| raw(b"\xff\xfe\0\x1b[2J\\u0000\n],[")).await;
    let healthy = Receiver::answering(&[]).await;
    for receiver in [&zero_byte, &no_text, &healthy].repeat(8) {
        platform.webhook_at(&receiver.url).await;
    }

    platform.publish_fresh().await;
    let (world, database) = (&platform.world, &platform.world.database);
    world
        .becomes("tried deliveries", 24, || database.attempted())
        .await;

    let deliveries = assert_readable(&platform).await;
    let bodies = deliveries
        .iter()
        .map(|d| &d["attempts"][0]["response_body"]);
    let with_zero_byte = bodies.filter(|body| **body == "a\0b").count();
    assert_eq!(with_zero_byte, 8, "the byte is shown");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_transcript_costs_the_transcript_and_not_the_delivery() {
    let (platform, ..) = platform().await;
    platform.publish_fresh().await;
    platform.delivered(1).await;

    let unreadable = "UPDATE exchanges SET said = '[{\"broken\":'";
    platform.world.database.execute(unreadable).await;

    let delivery = assert_readable(&platform).await.remove(0);
    assert_eq!(delivery["attempts"][0]["log"], "unreadable");
    assert_eq!(delivery["attempts"][0]["response_status"], 200);
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;
    let page = page_of(&visitor, &delivery).await;
    assert!(page.contains("could not be read"));
    platform.end().await;
}

/// Waits for a failed attempt of the class `tls`, and returns the sentence of the failure.
async fn failure_of_tls(platform: &Platform) -> String {
    const DETAIL: &str = "SELECT max(failure_detail) FROM attempts WHERE failure_class = 'tls'";
    let database = &platform.world.database;
    let detail = async || database.ask::<Option<String>>(DETAIL).await;
    platform.world.eventually("TLS fails", detail).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zero_byte_in_a_certificates_name_stops_no_recording() {
    let (mut platform, healthy, stranger) = platform().await;
    let hostile = TlsReceiver::named(&["evil\0.test"]).await;
    let authority = hostile.authority.to_str().expect("a path");
    let trusting = [("SSL_CERT_FILE", authority)];
    platform.restart_dispatcher(&trusting).await;
    platform.webhook_at(&hostile.url).await;
    let (events, messages) = good(23);

    stranger.publish_all(&messages).await;

    arrive(&platform, &healthy, &events, Duration::from_secs(5)).await;
    platform.delivered(23).await;
    let detail = failure_of_tls(&platform).await;
    assert!(detail.contains("the certificate is not"), "{detail}");
    assert_eq!(healthy.count(), 23, "each event is sent once");
    assert_readable(&platform).await;
    platform.end().await;
}

/// Makes Postgres refuse attempts with the status 418.
const REFUSE_418: &str =
    "ALTER TABLE attempts ADD CONSTRAINT odd CHECK (failure_detail NOT LIKE '%answered 418%')";

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_postgres_refuses_is_recorded_plain_and_its_neighbours_as_ever() {
    let (platform, _healthy, stranger) = platform().await;
    platform.world.database.execute(REFUSE_418).await;
    let odd = Receiver::answering(&[418; 50]).await;
    platform.webhook_at(&odd.url).await;
    let (_, messages) = good(10);

    stranger.publish_all(&messages).await;

    platform.delivered(10).await;
    let plain = async || {
        let told = "SELECT count(*) FROM attempts WHERE failure_detail LIKE 'the transcript could not be stored%'";
        platform.world.database.ask::<i64>(told).await >= 10
    };
    platform.until("the others are recorded plain", plain).await;
    assert_readable(&platform).await;
    assert!(
        platform.dispatcher.terminate().await,
        "the dispatcher drains in time"
    );
    platform.api.kill().await;
    platform.world.end().await;
}

/// Makes every query of the audit log sleep. The API's sessions give up after 15 s.
const SLOW_AUDIT_LOG: &str = "ALTER TABLE audit_entries RENAME TO entries_kept;
    CREATE VIEW audit_entries AS
        SELECT entries_kept.* FROM (SELECT pg_sleep(60)) AS slept LEFT JOIN entries_kept ON true";

/// Statements that sleep.
async fn sleeping(platform: &Platform) -> i64 {
    const SLEEPING: &str = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'";
    platform.world.database.ask(SLEEPING).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_with_the_client_of_the_request() {
    let platform = Platform::new().await;
    let world = &platform.world;
    world.database.execute(SLOW_AUDIT_LOG).await;
    let request = platform.request(Method::GET, "/api/v1/audit");

    // The request is dropped, and its connection closed, as soon as the statement sleeps.
    tokio::select! {
        answer = request.send() => panic!("{answer:?}"),
        () = world.becomes("sleeping statements", 1, || sleeping(&platform)) => {}
    }
    let began = Instant::now();
    world
        .becomes("sleeping statements", 0, || sleeping(&platform))
        .await;

    let bound = Duration::from_secs(10);
    assert!(began.elapsed() < bound, "ended by the bound of a session");
    platform.end().await;
}
