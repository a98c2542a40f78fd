//! What holds for every route.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{Platform, Service, path_of};

fn webhook() -> Value {
    json!({"name": "CRM", "url": "http://127.0.0.1:9/", "environment": "production", "event_types": ["*"]})
}

async fn create(platform: &Platform, key: &str, body: &Value) -> (u16, bool, Value) {
    let request = platform.request(Method::POST, "/api/v1/webhooks");
    let response = request
        .header("Idempotency-Key", key)
        .json(body)
        .send()
        .await;
    let response = response.expect("an answer");
    let status = response.status().as_u16();
    let replayed = response.headers().contains_key("idempotent-replayed");
    (status, replayed, response.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_with_a_key_is_made_once_and_answered_the_same() {
    let platform = Platform::new().await;

    let webhook = webhook();
    let same = || create(&platform, "order-42", &webhook);
    let (one, two) = tokio::join!(same(), same());
    let mut other = webhook.clone();
    other["name"] = json!("ERP");
    let (reused, _, _) = create(&platform, "order-42", &other).await;
    let (fresh, _, _) = create(&platform, "order-43", &webhook).await;
    platform
        .world
        .database
        .execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
        .await;
    let (a_day_later, replayed, later) = create(&platform, "order-42", &other).await;

    assert_eq!((one.0, two.0), (201, 201));
    assert_eq!(one.2, two.2, "with the same secret");
    assert_ne!(one.1, two.1, "one of them is a repeat");
    assert_eq!(
        (reused, fresh, a_day_later, replayed),
        (409, 201, 201, false)
    );
    assert_eq!(later["name"], "ERP");
    let count = platform.get("/api/v1/webhooks?total=true").await["total"].clone();
    assert_eq!(count, 3);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_was_refused_does_not_take_its_key() {
    let platform = Platform::new().await;

    let (refused, _, _) = create(&platform, "k", &json!({"name": "CRM"})).await;
    let (made, _, _) = create(&platform, "k", &webhook()).await;
    let (wrong, _, _) = create(&platform, "a key", &webhook()).await;

    assert_eq!((refused, made, wrong), (422, 201, 422));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_tell_where_what_which_version_and_which_request() {
    let platform = Platform::new().await;

    let request = platform
        .request(Method::POST, "/api/v1/webhooks")
        .json(&webhook());
    let made = request
        .header("X-Request-Id", "order-42")
        .send()
        .await
        .expect("an answer");
    let headers = made.headers().clone();
    let created: Value = made.json().await.expect("JSON");
    let path = path_of(&created);
    let found = platform
        .request(Method::GET, &path)
        .send()
        .await
        .expect("an answer");
    let post = platform
        .request(Method::POST, &path)
        .send()
        .await
        .expect("an answer");
    let entry = platform.get("/api/v1/audit?action=webhook.created").await;

    assert_eq!(headers["location"], path);
    assert_eq!(
        (&headers["etag"], &headers["x-request-id"]),
        (
            &"\"1\"".parse().expect("a value"),
            &"order-42".parse().expect("a value")
        )
    );
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(found.headers()["etag"], "\"1\"");
    assert!(found.headers()["x-request-id"].len() == 36);
    assert!(!found.headers().contains_key("access-control-allow-origin"));
    assert_eq!(
        (post.status().as_u16(), &post.headers()["allow"]),
        (405, &"GET, PUT, PATCH, DELETE".parse().expect("a value"))
    );
    assert_eq!(entry["data"][0]["request_id"], "order-42");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_is_refused_before_it_is_read() {
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
async fn a_key_that_asks_too_fast_waits_alone() {
    let mut platform = Platform::new().await;
    platform.api = Service::api_with(&platform.world, &[("KEY_RATE_LIMIT", "5")]).await;

    let mut last = None;
    for _ in 0..20 {
        let sent = platform
            .request(Method::GET, "/api/v1/event-types")
            .send()
            .await;
        last = Some(sent.expect("an answer"));
    }
    let limited = last.expect("it was sent");
    let other = platform
        .client
        .get(format!("{}/api/v1/event-types", platform.api.url));
    let other = other
        .bearer_auth(&Service::new_key(&platform.world, "viewer").await)
        .send()
        .await;

    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "1");
    assert_eq!(other.expect("an answer").status(), 200);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_configured_origin_may_call_and_no_others() {
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
