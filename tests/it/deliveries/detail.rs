//! A delivery read: request as received, response, failure, next attempts.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{
    Answer, CreatedWebhook, NOBODY, Platform, Received, Receiver, UNKNOWN_ID, assert_fields,
    event_with,
};

use crate::deliveries::{comes_to, each};

/// Asserts the headers of an attempt: each with the received value, `X-Token` without a value.
fn assert_headers_as_arrived(attempt: &Value, arrived: &Received) {
    let headers = attempt["request_headers"].as_array().expect("headers");
    for header in headers {
        let name = header["name"].as_str().expect("a header's name");
        let value = arrived.headers[&name.to_lowercase()].as_str();
        if name.eq_ignore_ascii_case("x-token") {
            assert_eq!((value, &header["value"]), ("very-secret", &Value::Null));
        } else {
            assert_eq!(header["value"], value, "{name}");
        }
    }
}

/// Asserts the presence of a header in an attempt, exactly once.
fn assert_shown_once(attempt: &Value, header: &str) {
    let names = each(&attempt["request_headers"], "name").into_iter();
    let shown = names.filter(|name| name.eq_ignore_ascii_case(header));
    assert_eq!(shown.count(), 1, "{header}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_shown_as_it_arrived_without_the_values_of_custom_headers() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let with_token = json!({"headers": {"X-Token": "very-secret"}});
    let webhook = platform.webhook_to(&receiver).with(&with_token);
    let webhook = webhook.create().await;
    let data = r#"{ "big": 9007199254740993,  "twice":1,"twice":2, "text":"é \ud83d\ude00" }"#;
    let event = event_with(Environment::Production, EventType::LicenseCreated, data);

    platform.take_in_event(&event).await;
    let delivery = comes_to(&platform, &webhook, "succeeded").await;

    let arrived = &receiver.received()[0];
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["request_url"], receiver.url.as_str());
    assert_eq!(delivery["request_body"], arrived.text());
    assert_eq!(arrived.body, event.body);
    assert_headers_as_arrived(attempt, arrived);
    for header in ["webhook-signature", "x-webhook-signature", "webhook-id"] {
        assert_shown_once(attempt, header);
    }
    assert_shown_once(attempt, "x-token");
    platform.end().await;
}

/// A platform and a delivery with two attempts over a single connection: a 503, then a 200 with a
/// body of 20,000 bytes.
async fn delivered_by_the_second_attempt() -> (Platform, Value) {
    let platform = Platform::new().await;
    let answers = vec![
        Answer::Header(503, "Server: nginx\r\nX-Else: 1"),
        Answer::Long(20_000),
    ];
    let receiver = Receiver::scripted(answers).await;
    let webhook = platform.webhook_to(&receiver);
    let webhook = webhook.retrying_every(100, 3).create().await;
    platform.take_in(EventType::LicenseCreated).await;
    let delivery = comes_to(&platform, &webhook, "succeeded").await;
    (platform, delivery)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_tells_how_long_its_parts_took() {
    let (platform, delivery) = delivered_by_the_second_attempt().await;

    let [first, second] = [0, 1].map(|number| &delivery["attempts"][number]);
    assert!(first["connect_ms"].is_i64(), "a new connection: {first}");
    assert!(second["connect_ms"].is_null(), "the connection was kept");
    for attempt in [first, second] {
        assert!(attempt["dns_ms"].is_null(), "an address needs no DNS");
        let first_byte = attempt["first_byte_ms"].as_i64();
        assert!(first_byte.is_some(), "{attempt}");
        assert!(first_byte <= attempt["duration_ms"].as_i64(), "{attempt}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_tells_the_response_with_chosen_headers_and_16_kb_of_the_body() {
    let (platform, delivery) = delivered_by_the_second_attempt().await;

    let [first, second] = [0, 1].map(|number| &delivery["attempts"][number]);
    assert_eq!(
        first["response_headers"],
        json!([{"name": "content-length", "value": "2"}, {"name": "server", "value": "nginx"}])
    );
    let whole = json!({"response_body": "ok", "response_body_truncated": false});
    assert_fields(first, &whole);
    let start = "x".repeat(16 * 1024);
    let truncated = json!({"response_body": start, "response_body_truncated": true});
    assert_fields(second, &truncated);
    platform.end().await;
}

/// Creates a webhook with a single attempt per delivery and a timeout of 100 ms.
async fn hurried(platform: &Platform, url: &str) -> CreatedWebhook {
    let webhook = platform.webhook("CRM").at(url).once();
    let timeout = json!({"timeout_ms": 100});
    webhook.with(&timeout).create().await
}

/// Waits for a failed delivery, and asserts the class of the failure and a part of the advice.
async fn assert_failure(platform: &Platform, webhook: &CreatedWebhook, class: &str, advice: &str) {
    let delivery = comes_to(platform, webhook, "failed").await;
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["failure_class"], class);
    assert_fields(&delivery, &json!({"failure_class": class, "schedule": []}));
    assert_eq!(attempt["response_status"].is_null(), class != "status");
    assert!(attempt["failure_detail"].is_string(), "{class}");
    let told = attempt["advice"].as_str().expect("a failure has advice");
    assert!(told.contains(advice), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_comes_with_its_class_and_with_advice() {
    let platform = Platform::new().await;
    let overloaded = Receiver::answering(&[503]).await;
    let hanging = Receiver::scripted(vec![Answer::Hang]).await;
    let overloaded = hurried(&platform, &overloaded.url).await;
    let hanging = hurried(&platform, &hanging.url).await;
    let closed = hurried(&platform, NOBODY).await;
    let inside = hurried(&platform, "http://127.0.0.2/").await;
    // The API refuses a webhook at a private address.
    let moved = "UPDATE webhooks SET url = 'http://10.0.0.1/' WHERE url LIKE '%127.0.0.2%'";
    platform.world.database.execute(moved).await;

    platform.take_in(EventType::LicenseCreated).await;

    for (webhook, class, advice) in [
        (overloaded, "status", "keeps up"),
        (hanging, "timeout", "answer 2xx at once"),
        (closed, "connect", "listens on the URL's port"),
        (inside, "blocked_address", "must have a public address"),
    ] {
        assert_failure(&platform, &webhook, class, advice).await;
    }
    platform.end().await;
}

/// A time from JSON.
fn time(value: &Value) -> DateTime<Utc> {
    let text = value.as_str().expect("a time");
    text.parse().expect("a time")
}

/// The times of a delivery's next attempts.
fn schedule_of(delivery: &Value) -> Vec<DateTime<Utc>> {
    let schedule = delivery["schedule"].as_array().expect("times");
    schedule.iter().map(time).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_is_the_rest_of_the_retry_policy() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let policy = json!({"retry_policy": {"max_attempts": 5, "initial_interval_ms": 60_000,
        "multiplier": 2, "max_interval_ms": 200_000, "jitter": 0}});
    let webhook = platform.webhook_to(&receiver).with(&policy).create().await;

    platform.take_in(EventType::LicenseCreated).await;
    let delivery = comes_to(&platform, &webhook, "retrying").await;

    let times = schedule_of(&delivery);
    let pauses = times.windows(2).map(|two| (two[1] - two[0]).num_seconds());
    assert_eq!(pauses.collect::<Vec<_>>(), [120, 200, 200]);
    assert_eq!(times[0], time(&delivery["next_attempt_at"]));
    let first = times[0] - time(&delivery["attempts"][0]["started_at"]);
    assert!((60..65).contains(&first.num_seconds()), "{first}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_delivery_is_not_found() {
    let platform = Platform::new().await;

    for id in [UNKNOWN_ID, "no-id"] {
        for (method, step) in [
            (Method::GET, ""),
            (Method::POST, "/retry"),
            (Method::POST, "/cancel"),
        ] {
            let path = format!("/api/v1/deliveries/{id}{step}");
            let (status, problem) = platform.ask(method, &path, None).await;
            assert_eq!(status, 404);
            assert_eq!(problem["detail"], "there is no such delivery");
        }
    }
    platform.end().await;
}
