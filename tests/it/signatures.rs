//! Help for receivers: a received request is verified over REST.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{EventId, SigningSecret, sign};
use webhook_tests::{CreatedWebhook, Platform, Received, Receiver, Service, UNKNOWN_ID};

const PATH: &str = "/api/v1/signatures/verify";

/// A platform, a webhook, the webhook's receiver, and a request to the receiver.
struct Arrived {
    platform: Platform,
    webhook: CreatedWebhook,
    receiver: Receiver,
    request: Received,
}

impl Arrived {
    async fn new() -> Self {
        let platform = Platform::new().await;
        let receiver = Receiver::answering(&[]).await;
        let webhook = platform.webhook_to(&receiver).create().await;
        let request = platform.next_request(&receiver).await;
        Self {
            platform,
            webhook,
            receiver,
            request,
        }
    }

    /// The API's answer about headers and a body.
    async fn verify(&self, headers: &HashMap<String, String>, body: &str) -> Value {
        let request = json!({"webhook_id": self.webhook.id, "headers": headers, "body": body});
        let (status, answer) = self.platform.post(PATH, &request).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// The API's answer about a body with the received headers.
    async fn verify_body(&self, body: &str) -> Value {
        self.verify(&self.request.headers, body).await
    }

    /// The received headers, with another value for a header.
    fn headers_with(&self, name: &str, value: &str) -> HashMap<String, String> {
        let mut headers = self.request.headers.clone();
        headers.insert(name.to_owned(), value.to_owned());
        headers
    }

    /// The headers of a signer with `secret` at a time.
    fn signed_at(&self, secret: &str, unix_seconds: i64) -> HashMap<String, String> {
        let secret = SigningSecret::parse(secret).expect("a webhook secret");
        let id: EventId = self.request.headers["webhook-id"].parse().expect("an id");
        let signatures = sign([&secret].into_iter(), id, unix_seconds, &self.request.body);
        let mut headers = self.headers_with("webhook-timestamp", &unix_seconds.to_string());
        headers.insert("x-webhook-signature".to_owned(), signatures.platform);
        headers.insert("webhook-signature".to_owned(), signatures.standard);
        headers
    }
}

/// Whether a request is valid, and the codes of the findings.
fn verdict(answer: &Value) -> (bool, Vec<&str>) {
    let findings = answer["findings"].as_array().expect("findings").iter();
    let codes = findings.filter_map(|finding| finding["code"].as_str());
    (
        answer["valid"].as_bool().expect("a verdict"),
        codes.collect(),
    )
}

/// Asserts two valid signatures, by the current secret and at an age below a minute.
fn assert_valid(answer: &Value) {
    assert_eq!(verdict(answer), (true, vec![]), "{answer}");
    let names = ["x-webhook-signature", "standard-webhooks"];
    for (index, name) in names.into_iter().enumerate() {
        let scheme = &answer["schemes"][index];
        assert_eq!(scheme["scheme"], name);
        assert_eq!(scheme["matched"], "current");
        let age = scheme["age_seconds"].as_i64().expect("an age");
        assert!((0..60).contains(&age), "{age}");
    }
    assert!(!answer.to_string().contains("whsec_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_valid_as_it_arrived_in_text_and_in_base64() {
    let arrived = Arrived::new().await;

    let text = arrived.verify_body(arrived.request.text()).await;
    let in_base64 = json!({"webhook_id": arrived.webhook.id, "headers": arrived.request.headers,
        "body_base64": STANDARD.encode(&arrived.request.body)});
    let (_, in_base64) = arrived.platform.post(PATH, &in_base64).await;

    assert_valid(&text);
    assert_valid(&in_base64);
    arrived.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_to_a_body_is_told_by_its_code() {
    let arrived = Arrived::new().await;
    let body = arrived.request.text();
    for (changed, code) in [
        (
            body.replace("\":", "\": ").replace(',', ", "),
            "reserialized_json",
        ),
        (body.replace("lic_", "lix_"), "body_changed"),
        (format!("{body}\n"), "whitespace_changed"),
        (body.replace('"', "&quot;"), "wrong_encoding"),
        (STANDARD.encode(&arrived.request.body), "wrong_encoding"),
        (Value::from(body).to_string(), "wrong_encoding"),
        (format!("\u{feff}{body}"), "wrong_encoding"),
    ] {
        let answer = arrived.verify_body(&changed).await;

        assert_eq!(verdict(&answer), (false, vec![code]), "{changed}");
        let told = &answer["findings"][0];
        assert!(!told["advice"].as_str().expect("advice").is_empty());
        assert!(!answer.to_string().contains("license_id"), "{answer}");
    }
    arrived.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_signature_holds_with_a_warning_and_a_changed_time_does_not() {
    let arrived = Arrived::new().await;
    let hour_ago = Utc::now().timestamp() - 3_600;
    let stale = arrived.signed_at(&arrived.webhook.secret, hour_ago);
    let changed = arrived.headers_with("webhook-timestamp", &hour_ago.to_string());

    let stale = arrived.verify(&stale, arrived.request.text()).await;
    let changed = arrived.verify(&changed, arrived.request.text()).await;

    assert_eq!(verdict(&stale), (true, vec!["stale_timestamp"]));
    let message = &stale["findings"][0]["message"];
    assert_eq!(message, "The request was signed 60 minutes ago.");
    let expected = vec!["timestamps_differ", "stale_timestamp", "no_match"];
    assert_eq!(verdict(&changed), (false, expected));
    let valid = [0, 1].map(|index| changed["schemes"][index]["valid"].clone());
    assert_eq!(valid, [true, false]);
    arrived.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_webhooks_secret_is_recognised_by_its_name() {
    let arrived = Arrived::new().await;
    let other = arrived.platform.webhook("ERP").environment("staging");
    let other = other.create().await;
    let headers = arrived.signed_at(&other.secret, Utc::now().timestamp());

    let answer = arrived.verify(&headers, arrived.request.text()).await;

    assert_eq!(verdict(&answer), (false, vec!["other_webhook"]));
    let finding = &answer["findings"][0];
    assert_eq!(finding["webhook_id"], other.id.as_str());
    let message = finding["message"].as_str().expect("a sentence");
    assert!(message.contains("ERP"), "{message}");
    assert!(!answer.to_string().contains(&other.secret));
    arrived.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_is_told_during_its_grace_period_and_after() {
    let arrived = Arrived::new().await;
    let rotate = format!("{}/secret/rotate", arrived.webhook.path);
    let grace_period = json!({"grace_period": "1h"});
    arrived.platform.post(&rotate, &grace_period).await;

    let old = arrived.verify_body(arrived.request.text()).await;
    let new = arrived.platform.next_request(&arrived.receiver).await;
    let new = arrived.verify(&new.headers, new.text()).await;
    let over = "UPDATE previous_secrets SET valid_until = now() - interval '1 s'";
    arrived.platform.world.database.execute(over).await;
    let late = arrived.verify_body(arrived.request.text()).await;

    assert_eq!(verdict(&old), (true, vec!["previous_secret"]));
    assert_eq!(old["schemes"][0]["matched"], "previous");
    assert_eq!(verdict(&new), (true, vec![]));
    assert_eq!(new["schemes"][0]["matched"], "current");
    assert_eq!(verdict(&late), (false, vec!["expired_secret"]));
    assert_eq!(late["schemes"][0]["matched"], Value::Null);
    arrived.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_missing_or_broken_are_told_by_name() {
    let arrived = Arrived::new().await;
    let mut without_id = arrived.request.headers.clone();
    without_id.remove("webhook-id");
    for (headers, code) in [
        (HashMap::new(), "no_signature"),
        (
            arrived.headers_with("webhook-signature", "v1,AAAA"),
            "malformed_header",
        ),
        (
            arrived.headers_with("x-webhook-signature", "nonsense"),
            "missing_timestamp",
        ),
        (
            arrived.headers_with("webhook-timestamp", "soon"),
            "not_a_timestamp",
        ),
        (without_id, "missing_message_id"),
    ] {
        let answer = arrived.verify(&headers, arrived.request.text()).await;

        let (valid, codes) = verdict(&answer);
        assert_eq!((valid, codes[0]), (false, code), "{answer}");
    }
    arrived.platform.end().await;
}

/// Requests with a malformed field, with too many headers, or with no body or two bodies.
fn malformed_requests(webhook: &str) -> Vec<Value> {
    let many: HashMap<String, &str> = (0..101).map(|n| (n.to_string(), "x")).collect();
    vec![
        json!({"webhook_id": 5, "headers": [], "body": 7}),
        json!({"webhook_id": webhook, "headers": {"a": 1}, "body": ""}),
        json!({"webhook_id": webhook, "headers": many, "body": ""}),
        json!({"webhook_id": webhook, "headers": {}}),
        json!({"webhook_id": webhook, "headers": {}, "body_base64": "?"}),
        json!({"webhook_id": webhook, "headers": {}, "body": "", "body_base64": ""}),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_to_verify_is_refused() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;

    for request in malformed_requests(&webhook.id) {
        let (status, problem) = platform.post(PATH, &request).await;

        assert_eq!(status, 422, "{request} {problem}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_an_unknown_webhook_are_not_verified_and_viewers_may_not_ask() {
    let mut platform = Platform::new().await;

    let unknown = json!({"webhook_id": UNKNOWN_ID, "headers": {}, "body": ""});
    let (unknown, _) = platform.post(PATH, &unknown).await;
    platform.key = Service::new_key(&platform.world, "viewer").await;
    let empty = Some("{}".to_owned());
    let (forbidden, _) = platform.ask(Method::POST, PATH, empty).await;

    assert_eq!((unknown.as_u16(), forbidden.as_u16()), (404, 403));
    platform.end().await;
}
