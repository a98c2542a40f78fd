//! A delivery read: what was sent as it arrived, what came back, what went wrong, what is next.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{Answer, Platform, Receiver, event_with};

use crate::deliveries::{NOBODY, UNKNOWN, comes_to, create, every, once, publish, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_shown_as_it_arrived_but_for_custom_values() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let settings = json!({"headers": {"X-Token": "very-secret"}});
    let webhook = create(&platform, "CRM", &receiver.url, &settings).await;
    let data = r#"{ "big": 9007199254740993,  "twice":1,"twice":2, "text":"é \ud83d\ude00" }"#;
    let event = event_with(Environment::Production, EventType::LicenseCreated, data);

    send(&platform, &event).await;
    let delivery = comes_to(&platform, &webhook, "succeeded").await;

    let arrived = &receiver.received()[0];
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["request_url"], receiver.url.as_str());
    let body = delivery["request_body"].as_str().expect("a body");
    assert_eq!(body.as_bytes(), arrived.body);
    assert_eq!(body.as_bytes(), event.body);
    let headers = attempt["request_headers"].as_array().expect("headers");
    for header in headers {
        let name = header["name"].as_str().expect("a name");
        let as_arrived = &arrived.headers[&name.to_lowercase()];
        match name.to_lowercase().as_str() {
            "x-token" => {
                assert_eq!(
                    (as_arrived.as_str(), &header["value"]),
                    ("very-secret", &json!(null))
                );
            }
            _ => assert_eq!(header["value"], as_arrived.as_str(), "{name}"),
        }
    }
    for name in [
        "webhook-signature",
        "X-Webhook-Signature",
        "webhook-id",
        "x-token",
    ] {
        let is_it = |header: &Value| {
            header["name"]
                .as_str()
                .is_some_and(|shown| shown.eq_ignore_ascii_case(name))
        };
        assert_eq!(headers.iter().filter(|h| is_it(h)).count(), 1, "{name}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_tells_how_long_its_parts_took_and_what_came_back() {
    let platform = Platform::new().await;
    let answers = vec![
        Answer::Header(503, "Server: nginx\r\nX-Else: 1"),
        Answer::Long(20_000),
    ];
    let receiver = Receiver::scripted(answers).await;
    let webhook = create(&platform, "CRM", &receiver.url, &every(100, 3)).await;

    publish(&platform, EventType::LicenseCreated).await;
    let delivery = comes_to(&platform, &webhook, "succeeded").await;

    let [first, second] = [0, 1].map(|number| &delivery["attempts"][number]);
    assert!(first["connect_ms"].is_i64(), "it connects: {first}");
    assert_eq!(second["connect_ms"], json!(null), "it is connected");
    for attempt in [first, second] {
        assert_eq!(
            attempt["dns_ms"],
            json!(null),
            "an address is not looked up"
        );
        let (part, whole) = (
            attempt["first_byte_ms"].as_i64(),
            attempt["duration_ms"].as_i64(),
        );
        assert!(part.is_some() && part <= whole, "{attempt}");
    }
    assert_eq!(
        first["response_headers"],
        json!([{"name": "content-length", "value": "2"}, {"name": "server", "value": "nginx"}])
    );
    assert_eq!(
        (&first["response_body"], &first["response_body_truncated"]),
        (&json!("ok"), &json!(false))
    );
    let kept = "x".repeat(16 * 1024);
    assert_eq!(
        (&second["response_body"], &second["response_body_truncated"]),
        (&json!(kept), &json!(true))
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_comes_with_its_class_and_with_advice() {
    let platform = Platform::new().await;
    let overloaded = Receiver::answering(&[503]).await;
    let hanging = Receiver::scripted(vec![Answer::Hang]).await;
    let mut hurried = once();
    hurried["timeout_ms"] = json!(100);
    let mut failing = Vec::new();
    for (url, class, advice) in [
        (overloaded.url.as_str(), "status", "keeps up"),
        (&hanging.url, "timeout", "answer 2xx at once"),
        (NOBODY, "connect", "listens on the URL's port"),
        (
            "http://127.0.0.2/",
            "blocked_address",
            "must have a public address",
        ),
    ] {
        let webhook = create(&platform, class, url, &hurried).await;
        failing.push((webhook, class, advice));
    }
    // Nobody can make a webhook like this.
    let moved = "UPDATE webhooks SET url = 'http://10.0.0.1/' WHERE name = 'blocked_address'";
    platform.world.database.execute(moved).await;

    publish(&platform, EventType::LicenseCreated).await;

    for (webhook, class, advice) in failing {
        let delivery = comes_to(&platform, &webhook, "failed").await;
        let attempt = &delivery["attempts"][0];
        assert_eq!(attempt["failure_class"], class);
        assert_eq!(delivery["failure_class"], class);
        assert_eq!(attempt["response_status"].is_null(), class != "status");
        assert!(attempt["failure_detail"].is_string(), "{class}");
        let told = attempt["advice"].as_str().expect("advice");
        assert!(told.contains(advice), "{told}");
        assert_eq!(delivery["schedule"], json!([]), "it is given up");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_is_the_rest_of_the_retry_policy() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let policy = json!({"retry_policy": {"max_attempts": 5, "initial_interval_ms": 60_000,
        "multiplier": 2, "max_interval_ms": 200_000, "jitter": 0}});
    let webhook = create(&platform, "CRM", &receiver.url, &policy).await;

    publish(&platform, EventType::LicenseCreated).await;
    let delivery = comes_to(&platform, &webhook, "retrying").await;

    let time = |value: &Value| -> DateTime<Utc> {
        let text = value.as_str().expect("a time");
        text.parse().expect("a time")
    };
    let schedule = delivery["schedule"].as_array().expect("times");
    let times: Vec<_> = schedule.iter().map(time).collect();
    let pauses: Vec<_> = times
        .windows(2)
        .map(|two| (two[1] - two[0]).num_seconds())
        .collect();
    assert_eq!(pauses, [120, 200, 200]);
    assert_eq!(times[0], time(&delivery["next_attempt_at"]));
    let first = times[0] - time(&delivery["attempts"][0]["started_at"]);
    assert!((60..65).contains(&first.num_seconds()), "{first}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_not_there_is_not_found() {
    let platform = Platform::new().await;

    for id in [UNKNOWN, "no-id"] {
        for (method, step) in [
            (Method::GET, ""),
            (Method::POST, "/retry"),
            (Method::POST, "/cancel"),
        ] {
            let path = format!("/api/v1/deliveries/{id}{step}");
            let (status, problem) = platform.ask(method, &path, None).await;
            assert_eq!(
                (status.as_u16(), &problem["detail"]),
                (404, &json!("there is no such delivery"))
            );
        }
    }
    platform.end().await;
}
