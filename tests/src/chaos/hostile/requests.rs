//! Requests of hostile and broken clients of the API.

use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::Method;
use reqwest::header::HeaderValue;
use url::form_urlencoded::byte_serialize;

use super::messages::{self, TEXTS};
use crate::Platform;

/// Lists whose queries are tried.
const LISTS: [&str; 7] = [
    "/api/v1/webhooks",
    "/api/v1/deliveries",
    "/api/v1/events",
    "/api/v1/rejected-messages",
    "/api/v1/jobs",
    "/api/v1/audit",
    "/api/v1/statistics",
];

/// Names of the items in those paths.
const QUERIES: [&str; 10] = [
    "search",
    "cursor",
    "since",
    "until",
    "limit",
    "status",
    "response",
    "event_type",
    "sort",
    "total",
];

/// Sends a request. Returns the request if the answer was a 5xx.
pub(super) async fn send(rng: &mut StdRng, platform: &Platform) -> Option<String> {
    let text = TEXTS[rng.random_range(0..TEXTS.len())];
    let body = messages::draw(rng).body;
    let encoded: String = byte_serialize(text.as_bytes()).collect();
    let (method, path) = match rng.random_range(0..6) {
        0 | 1 => (Method::POST, "/api/v1/events".to_owned()),
        2 => (Method::POST, "/api/v1/events/batch".to_owned()),
        3 => (Method::POST, "/api/v1/webhooks".to_owned()),
        4 => {
            let list = LISTS[rng.random_range(0..LISTS.len())];
            let query = QUERIES[rng.random_range(0..QUERIES.len())];
            (Method::GET, format!("{list}?{query}={encoded}"))
        }
        _ => {
            let list = LISTS[rng.random_range(0..LISTS.len())];
            (Method::GET, format!("{list}/{encoded}"))
        }
    };
    let body = match rng.random_range(0..3) {
        0 if path.ends_with("webhooks") => webhook(text),
        0 if path.ends_with("batch") => [
            b"{\"events\":[",
            body.as_slice(),
            b",",
            body.as_slice(),
            b"]}",
        ]
        .concat(),
        _ => body,
    };
    let mut request = platform
        .request(method.clone(), &path)
        .header("Content-Type", "application/json");
    let header = [
        "X-Request-Id",
        "Idempotency-Key",
        "If-Match",
        "Cookie",
        "User-Agent",
    ];
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        request = request.header(header[rng.random_range(0..header.len())], value);
    }
    if method == Method::POST {
        request = request.body(body);
    }
    // A connection closed on too large a body is no answer at all.
    let status = request.send().await.ok()?.status();
    status
        .is_server_error()
        .then(|| format!("{status} {method} {path}"))
}

fn webhook(text: &str) -> Vec<u8> {
    let webhook = serde_json::json!({"name": format!("n{text}"), "description": text,
        "url": format!("https://example.com/{text}"), "environment": "staging", "status": "inactive",
        "event_types": ["*"], "metadata": {text: text}, "headers": {"X-Own": text}});
    webhook.to_string().into_bytes()
}
