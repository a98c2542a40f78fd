use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Answer, Platform, Receiver, Service, Stranger, TlsReceiver, Visitor};

use super::{arrive, good};

/// Every delivery and its page can be read.
async fn can_be_read(platform: &Platform) {
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;
    let page = platform.get("/api/v1/deliveries?limit=200").await;
    let deliveries = page["data"].as_array().expect("a list");
    assert!(!deliveries.is_empty());
    for delivery in deliveries {
        let id = delivery["id"].as_str().expect("an id");
        platform.get(&format!("/api/v1/deliveries/{id}")).await;
        let shown = visitor
            .get(&format!("/admin/webhook-deliveries/{id}"))
            .await;
        assert_eq!(shown.status(), 200, "{id}");
    }
}

fn raw(body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: {}\r\nserver: {}\r\n\r\n",
        body.len(),
        "é".repeat(4_000)
    );
    Answer::Raw([head.as_bytes(), body].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zero_byte_in_an_answer_hides_no_log() {
    let platform = Platform::new().await;
    let hostile = Receiver::deciding(|_, _| raw(b"a\0b")).await;
    let odd = Receiver::deciding(|_, _| raw(b"\xff\xfe\0\x1b[2J\\u0000\n],[")).await;
    let healthy = Receiver::answering(&[]).await;
    for _ in 0..8 {
        for receiver in [&hostile, &odd, &healthy] {
            platform.webhook_at(&receiver.url).await;
        }
    }

    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    let all = async || {
        let tried = platform.world.database.attempted();
        (tried.await == 24).then_some(())
    };
    platform.world.eventually("all are tried", all).await;

    can_be_read(&platform).await;
    let failed = platform
        .get("/api/v1/deliveries?response=500&limit=200")
        .await;
    let bodies: Vec<_> = {
        let mut bodies = Vec::new();
        for delivery in failed["data"].as_array().expect("a list") {
            let id = delivery["id"].as_str().expect("an id");
            let read = platform.get(&format!("/api/v1/deliveries/{id}")).await;
            bodies.push(read["attempts"][0]["response_body"].clone());
        }
        bodies
    };
    assert!(bodies.contains(&json!("a\0b")), "the byte is shown");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_costs_what_was_said_and_not_the_delivery() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    let done = async || (platform.count("succeeded").await == 1).then_some(());
    platform.world.eventually("it is delivered", done).await;

    platform
        .world
        .database
        .execute("UPDATE exchanges SET said = '[{\"broken\":'")
        .await;

    can_be_read(&platform).await;
    let page = platform.get("/api/v1/deliveries").await;
    let id = page["data"][0]["id"].as_str().expect("an id").to_owned();
    let read = platform.get(&format!("/api/v1/deliveries/{id}")).await;
    assert_eq!(read["attempts"][0]["log"], "unreadable");
    assert_eq!(read["attempts"][0]["response_status"], 200);
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;
    let shown = visitor
        .get(&format!("/admin/webhook-deliveries/{id}"))
        .await;
    assert!(
        shown
            .text()
            .await
            .expect("text")
            .contains("could not be read")
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zero_byte_in_a_certificates_name_stops_no_recording() {
    let mut platform = Platform::new().await;
    let hostile = TlsReceiver::named(&["evil\0.test"]).await;
    let healthy = Receiver::answering(&[]).await;
    let authority = hostile.authority.to_str().expect("a path").to_owned();
    assert!(platform.dispatcher.terminate().await);
    let variables = [("SSL_CERT_FILE", authority.as_str())];
    platform.dispatcher = Service::dispatcher_with(&platform.world, &variables);
    platform.webhook_at(&hostile.url).await;
    platform.webhook_at(&healthy.url).await;
    let stranger = Stranger::connect(&platform.world).await;
    let (events, messages) = good(23);

    stranger.publish_all(&messages).await;

    arrive(&platform, &healthy, &events, Duration::from_secs(5)).await;
    let done = async || (platform.count("succeeded").await == 23).then_some(());
    platform.world.eventually("they are recorded", done).await;
    let failed = async || {
        let told = "SELECT max(failure_detail) FROM attempts WHERE failure_class = 'tls'";
        platform.world.database.ask::<Option<String>>(told).await
    };
    let detail = platform.world.eventually("so are the others", failed).await;
    assert!(detail.contains("the certificate is not"), "{detail}");
    assert_eq!(healthy.count(), 23, "nothing is sent twice");
    can_be_read(&platform).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_postgres_refuses_is_recorded_plain_and_its_neighbours_as_ever() {
    let platform = Platform::new().await;
    platform
        .world
        .database.execute(
            "ALTER TABLE attempts ADD CONSTRAINT odd CHECK (failure_detail NOT LIKE '%answered 418%')",
        )
        .await;
    let odd = Receiver::answering(&[418; 50]).await;
    let healthy = Receiver::answering(&[]).await;
    platform.webhook_at(&odd.url).await;
    platform.webhook_at(&healthy.url).await;
    let stranger = Stranger::connect(&platform.world).await;
    let (_, messages) = good(10);

    stranger.publish_all(&messages).await;

    let done = async || (platform.count("succeeded").await == 10).then_some(());
    platform
        .world
        .eventually("the others are recorded", done)
        .await;
    let plain = async || {
        let told = "SELECT count(*) FROM attempts WHERE failure_detail LIKE 'the transcript could not be stored%'";
        (platform.world.database.ask::<i64>(told).await >= 10).then_some(())
    };
    platform
        .world
        .eventually("and these without what was said", plain)
        .await;
    can_be_read(&platform).await;
    assert!(platform.dispatcher.terminate().await, "it stops in time");
    platform.api.kill().await;
    platform.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_ends_with_the_client_that_asked_it() {
    let platform = Platform::new().await;
    // Any question of this table takes until the API's sessions give up, after 15 s.
    let slow = "ALTER TABLE audit_entries RENAME TO entries_kept;
        CREATE VIEW audit_entries AS
            SELECT entries_kept.* FROM (SELECT pg_sleep(60)) AS slept LEFT JOIN entries_kept ON true";
    let sleeps = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'";
    let world = &platform.world;
    world.database.execute(slow).await;
    let request = platform.request(Method::GET, "/api/v1/audit");

    let waits = async || (world.database.ask::<i64>(sleeps).await == 1).then_some(());
    tokio::select! {
        answer = request.send() => panic!("{answer:?}"),
        () = world.eventually("its statement runs", waits) => {}
    }
    let began = Instant::now();
    let ends = async || (world.database.ask::<i64>(sleeps).await == 0).then_some(());
    world.eventually("its statement ends", ends).await;

    assert!(
        began.elapsed() < Duration::from_secs(10),
        "it ended with its client, not when it had run for as long as it may"
    );
    platform.end().await;
}
