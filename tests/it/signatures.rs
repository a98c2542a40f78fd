//! Help for receivers: a request that arrived is verified over REST.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventId, EventType, SigningSecret, sign};
use webhook_tests::{Platform, Received, Receiver, Service};

/// A platform, a webhook of it, and a request that arrived there.
struct Arrived {
    platform: Platform,
    webhook: Value,
    receiver: Receiver,
    request: Received,
}

async fn arrived() -> Arrived {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    let request = next(&platform, &receiver).await;
    Arrived {
        platform,
        webhook,
        receiver,
        request,
    }
}

/// The next request that arrives.
async fn next(platform: &Platform, receiver: &Receiver) -> Received {
    let before = receiver.count();
    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    let arrived = async || receiver.received().into_iter().nth(before);
    platform
        .world
        .eventually("the request arrives", arrived)
        .await
}

impl Arrived {
    /// What the API says of these headers and this body.
    async fn verify(&self, headers: &HashMap<String, String>, body: &str) -> Value {
        let asked = json!({"webhook_id": self.webhook["id"], "headers": headers, "body": body});
        let (status, answer) = self.platform.post(PATH, &asked).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// The same of this body, with the headers that arrived.
    async fn verify_body(&self, body: &str) -> Value {
        self.verify(&self.request.headers, body).await
    }

    fn body(&self) -> &str {
        std::str::from_utf8(&self.request.body).expect("text")
    }

    /// The headers as they would be if `secret` had signed at that time.
    fn signed_at(&self, secret: &SigningSecret, unix_seconds: i64) -> HashMap<String, String> {
        let id: EventId = self.request.headers["webhook-id"].parse().expect("an id");
        let signatures = sign([secret].into_iter(), id, unix_seconds, &self.request.body);
        let mut headers = self.request.headers.clone();
        headers.insert("x-webhook-signature".to_owned(), signatures.platform);
        headers.insert("webhook-signature".to_owned(), signatures.standard);
        headers.insert("webhook-timestamp".to_owned(), unix_seconds.to_string());
        headers
    }

    fn secret(&self) -> SigningSecret {
        let secret = self.webhook["secret"].as_str().expect("a secret");
        SigningSecret::parse(secret).expect("a good one")
    }
}

const PATH: &str = "/api/v1/signatures/verify";

/// Whether it is valid, and the codes of what was found.
fn verdict(answer: &Value) -> (bool, Vec<&str>) {
    let findings = answer["findings"].as_array().expect("findings").iter();
    let codes = findings.filter_map(|finding| finding["code"].as_str());
    (
        answer["valid"].as_bool().expect("a verdict"),
        codes.collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_valid_as_it_arrived_in_text_and_in_base64() {
    let it = arrived().await;
    let base64 = base64(&it.request.body);

    let text = it.verify_body(it.body()).await;
    let asked = json!({"webhook_id": it.webhook["id"], "headers": it.request.headers, "body_base64": base64});
    let (_, bytes) = it.platform.post(PATH, &asked).await;

    for answer in [text, bytes] {
        assert_eq!(verdict(&answer), (true, vec![]), "{answer}");
        for (index, name) in ["x-webhook-signature", "standard-webhooks"]
            .iter()
            .enumerate()
        {
            let scheme = &answer["schemes"][index];
            assert_eq!(
                (&scheme["scheme"], &scheme["matched"]),
                (&json!(name), &json!("current"))
            );
            assert!((0..60).contains(&scheme["age_seconds"].as_i64().expect("an age")));
        }
        assert!(!answer.to_string().contains("whsec_"));
    }
    it.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_a_body_is_told() {
    let it = arrived().await;
    let body = it.body();
    for (changed, code) in [
        (
            body.replace("\":", "\": ").replace(',', ", "),
            "reserialized_json",
        ),
        (body.replace("lic_", "lix_"), "body_changed"),
        (format!("{body}\n"), "whitespace_changed"),
        (body.replace('"', "&quot;"), "wrong_encoding"),
        (base64(&it.request.body), "wrong_encoding"),
        (Value::from(body).to_string(), "wrong_encoding"),
        (format!("\u{feff}{body}"), "wrong_encoding"),
    ] {
        let answer = it.verify_body(&changed).await;

        assert_eq!(verdict(&answer), (false, vec![code]), "{changed}");
        let told = &answer["findings"][0];
        assert!(!told["advice"].as_str().expect("advice").is_empty());
        assert!(!answer.to_string().contains("license_id"), "{answer}");
    }
    it.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_signature_holds_with_a_warning_and_a_changed_time_does_not() {
    let it = arrived().await;
    let old = chrono::Utc::now().timestamp() - 3_600;
    let stale = it.signed_at(&it.secret(), old);
    let mut changed = it.request.headers.clone();
    changed.insert("webhook-timestamp".to_owned(), old.to_string());

    let stale = it.verify(&stale, it.body()).await;
    let changed = it.verify(&changed, it.body()).await;

    assert_eq!(verdict(&stale), (true, vec!["stale_timestamp"]));
    let told = stale["findings"][0]["message"]
        .as_str()
        .expect("a sentence");
    assert_eq!(told, "The request was signed 60 minutes ago.");
    let expected = vec!["timestamps_differ", "stale_timestamp", "no_match"];
    assert_eq!(verdict(&changed), (false, expected));
    let valid = [0, 1].map(|index| changed["schemes"][index]["valid"].clone());
    assert_eq!(valid, [true, false]);
    it.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_webhooks_secret_is_recognised_by_its_name() {
    let it = arrived().await;
    let other = json!({"name": "ERP", "url": it.receiver.url, "environment": "staging",
        "event_types": ["*"]});
    let (_, other) = it.platform.post("/api/v1/webhooks", &other).await;
    let secret = SigningSecret::parse(other["secret"].as_str().expect("one")).expect("a good one");
    let headers = it.signed_at(&secret, chrono::Utc::now().timestamp());

    let answer = it.verify(&headers, it.body()).await;

    assert_eq!(verdict(&answer), (false, vec!["other_webhook"]));
    let told = &answer["findings"][0];
    assert_eq!(told["webhook_id"], other["id"]);
    let message = told["message"].as_str().expect("a sentence");
    assert!(message.contains("ERP") && !answer.to_string().contains(secret.reveal()));
    it.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_is_told_during_its_grace_period_and_after() {
    let it = arrived().await;
    let rotate = webhook_tests::path_of(&it.webhook) + "/secret/rotate";
    it.platform
        .post(&rotate, &json!({"grace_period": "1h"}))
        .await;

    let old = it.verify_body(it.body()).await;
    let new = next(&it.platform, &it.receiver).await;
    let new = it
        .verify(&new.headers, std::str::from_utf8(&new.body).expect("text"))
        .await;
    let over = "UPDATE previous_secrets SET valid_until = now() - interval '1 s'";
    it.platform.world.database.execute(over).await;
    let late = it.verify_body(it.body()).await;

    assert_eq!(verdict(&old), (true, vec!["previous_secret"]));
    assert_eq!(old["schemes"][0]["matched"], "previous");
    assert_eq!(verdict(&new), (true, vec![]));
    assert_eq!(new["schemes"][0]["matched"], "current");
    assert_eq!(verdict(&late), (false, vec!["expired_secret"]));
    assert_eq!(late["schemes"][0]["matched"], Value::Null);
    it.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_missing_or_broken_are_told_by_name() {
    let it = arrived().await;
    let with = |name: &str, value: &str| {
        let mut headers = it.request.headers.clone();
        headers.insert(name.to_owned(), value.to_owned());
        headers
    };
    let mut without_id = it.request.headers.clone();
    without_id.remove("webhook-id");
    for (headers, code) in [
        (HashMap::new(), "no_signature"),
        (with("webhook-signature", "v1,AAAA"), "malformed_header"),
        (with("x-webhook-signature", "nonsense"), "missing_timestamp"),
        (with("webhook-timestamp", "soon"), "not_a_timestamp"),
        (without_id, "missing_message_id"),
    ] {
        let answer = it.verify(&headers, it.body()).await;

        let (valid, codes) = verdict(&answer);
        assert_eq!((valid, codes[0]), (false, code), "{answer}");
    }
    it.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_and_viewers_may_not_ask() {
    let mut it = arrived().await;
    let unknown = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e";
    let many: HashMap<String, &str> = (0..101).map(|n| (n.to_string(), "x")).collect();
    for (asked, expected) in [
        (
            json!({"webhook_id": unknown, "headers": {}, "body": ""}),
            404,
        ),
        (json!({"webhook_id": 5, "headers": [], "body": 7}), 422),
        (
            json!({"webhook_id": it.webhook["id"], "headers": {"a": 1}, "body": ""}),
            422,
        ),
        (
            json!({"webhook_id": it.webhook["id"], "headers": many, "body": ""}),
            422,
        ),
        (json!({"webhook_id": it.webhook["id"], "headers": {}}), 422),
        (
            json!({"webhook_id": it.webhook["id"], "headers": {}, "body_base64": "?"}),
            422,
        ),
        (
            json!({"webhook_id": it.webhook["id"], "headers": {}, "body": "", "body_base64": ""}),
            422,
        ),
    ] {
        let (status, problem) = it.platform.post(PATH, &asked).await;

        assert_eq!(status, expected, "{asked} {problem}");
    }
    it.platform.key = Service::new_key(&it.platform.world, "viewer").await;
    let (status, _) = it
        .platform
        .ask(Method::POST, PATH, Some("{}".to_owned()))
        .await;
    assert_eq!(status, 403);
    it.platform.end().await;
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
