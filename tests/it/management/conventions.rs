//! Rules of every route: idempotency, headers, content types, rate limits, CORS.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use webhook_tests::{NOBODY, Platform, Service, path_of};

fn webhook() -> Value {
    json!({"name": "CRM", "url": NOBODY, "environment": "production", "event_types": ["*"]})
}

/// The response to a creation with an `Idempotency-Key`.
struct Creation {
    status: u16,
    replayed: bool,
    body: Value,
}

async fn create(platform: &Platform, key: &str, body: &Value) -> Creation {
    let request = platform.request(Method::POST, "/api/v1/webhooks");
    let response = request
        .header("Idempotency-Key", key)
        .json(body)
        .send()
        .await;
    let response = response.expect("an answer");
    Creation {
        status: response.status().as_u16(),
        replayed: response.headers().contains_key("idempotent-replayed"),
        body: response.json().await.unwrap_or_default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_with_a_key_is_made_once_and_its_repeat_gets_the_same_answer() {
    let platform = Platform::new().await;

    let webhook = webhook();
    let same = || create(&platform, "order-42", &webhook);
    let (first, second) = tokio::join!(same(), same());

    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body, "with the same secret");
    assert_ne!(first.replayed, second.replayed, "exactly one is a repeat");
    let list = platform.get("/api/v1/webhooks?total=true").await;
    assert_eq!(list["total"], 1);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_refused_for_another_creation_for_a_day() {
    let platform = Platform::new().await;
    let mut other = webhook();
    other["name"] = json!("ERP");
    create(&platform, "order-42", &webhook()).await;

    let reused = create(&platform, "order-42", &other).await;
    let fresh = create(&platform, "order-43", &webhook()).await;
    let yesterday = "UPDATE idempotency_keys SET created_at = now() - interval '25 hours'";
    platform.world.database.execute(yesterday).await;
    let a_day_later = create(&platform, "order-42", &other).await;

    assert_eq!((reused.status, fresh.status), (409, 201));
    assert_eq!((a_day_later.status, a_day_later.replayed), (201, false));
    assert_eq!(a_day_later.body["name"], "ERP");
    let list = platform.get("/api/v1/webhooks?total=true").await;
    assert_eq!(list["total"], 3);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_was_refused_does_not_take_its_key() {
    let platform = Platform::new().await;

    let refused = create(&platform, "k", &json!({"name": "CRM"})).await;
    let made = create(&platform, "k", &webhook()).await;
    let malformed_key = create(&platform, "a key", &webhook()).await;

    let answers = [refused, made, malformed_key].map(|creation| creation.status);
    assert_eq!(answers, [422, 201, 422]);
    platform.end().await;
}

/// Sends a request with the platform's key.
async fn send(platform: &Platform, method: Method, path: &str) -> Response {
    let sent = platform.request(method, path).send().await;
    sent.expect("the API answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_is_answered_with_location_version_and_request_id() {
    let platform = Platform::new().await;

    let request = platform.request(Method::POST, "/api/v1/webhooks");
    let request = request.header("X-Request-Id", "order-42").json(&webhook());
    let made = request.send().await.expect("the API answers");

    let headers = made.headers().clone();
    let created: Value = made.json().await.expect("JSON");
    assert_eq!(headers["location"], path_of(&created));
    assert_eq!(headers["etag"], "\"1\"");
    assert_eq!(headers["x-request-id"], "order-42");
    assert_eq!(headers["cache-control"], "no-store");
    let entry = platform.get("/api/v1/audit?action=webhook.created").await;
    assert_eq!(entry["data"][0]["request_id"], "order-42");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_a_request_id_and_allows_no_other_origin() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;

    let found = send(&platform, Method::GET, &webhook.path).await;

    assert_eq!(found.headers()["etag"], "\"1\"");
    assert_eq!(found.headers()["x-request-id"].len(), 36);
    assert!(!found.headers().contains_key("access-control-allow-origin"));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_route_has_not_is_answered_with_the_allowed_methods() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;

    let refused = send(&platform, Method::POST, &webhook.path).await;

    assert_eq!(refused.status(), 405);
    assert_eq!(refused.headers()["allow"], "GET, PUT, PATCH, DELETE");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_json_is_refused_before_its_fields_are_read() {
    let platform = Platform::new().await;
    let send = async |content_type: Option<&str>, body: &'static str| {
        let mut request = platform
            .request(Method::POST, "/api/v1/webhooks")
            .body(body);
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        request.send().await.expect("an answer").status().as_u16()
    };

    assert_eq!(send(Some("text/plain"), "{}").await, 415);
    assert_eq!(send(None, "{}").await, 415);
    assert_eq!(send(Some("application/json"), "{").await, 400);
    assert_eq!(
        send(Some("application/json; charset=utf-8"), "{}").await,
        422
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_beyond_its_rate_limit_is_refused_and_no_other_key() {
    let mut platform = Platform::new().await;
    platform.api = Service::api_with(&platform.world, &[("KEY_RATE_LIMIT", "5")]).await;

    for _ in 0..19 {
        send(&platform, Method::GET, "/api/v1/event-types").await;
    }
    let limited = send(&platform, Method::GET, "/api/v1/event-types").await;
    platform.key = Service::new_key(&platform.world, "viewer").await;
    let other = send(&platform, Method::GET, "/api/v1/event-types").await;

    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "1");
    assert_eq!(other.status(), 200);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_configured_origins_only_may_call_the_api() {
    let mut platform = Platform::new().await;
    let origin = "https://portal.example.com";
    platform.api = Service::api_with(&platform.world, &[("CORS_ORIGINS", origin)]).await;
    let preflight = async |origin: &str| {
        let url = format!("{}/api/v1/webhooks", platform.api.url);
        let request = platform
            .client
            .request(Method::OPTIONS, url)
            .header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", "PATCH");
        let answer = request.send().await.expect("an answer");
        let allowed = answer.headers().get("access-control-allow-origin");
        allowed.map(|origin| origin.to_str().expect("text").to_owned())
    };

    assert_eq!(preflight(origin).await.as_deref(), Some(origin));
    assert_eq!(preflight("https://evil.example.com").await, None);
    platform.end().await;
}
