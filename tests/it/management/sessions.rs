//! Browsers that sign in with a key.

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use webhook_tests::{Platform, Service};

const SESSION: &str = "/api/v1/session";

/// Signs in, and returns the status and the cookie with its attributes.
async fn sign_in(platform: &Platform, key: &str) -> (u16, String) {
    let url = format!("{}{SESSION}", platform.api.url);
    let request = platform.client.post(url).json(&json!({"key": key}));
    let answer = request.send().await.expect("the API answers");
    (answer.status().as_u16(), cookie_of(answer.headers()))
}

fn cookie_of(headers: &HeaderMap) -> String {
    let cookie = headers.get(SET_COOKIE);
    let cookie = cookie.map(|cookie| cookie.to_str().expect("a cookie is text").to_owned());
    cookie.unwrap_or_default()
}

/// A request with a cookie from a page of `site`, as the header `Sec-Fetch-Site` names the site.
async fn send(
    platform: &Platform,
    method: Method,
    path: &str,
    cookie: &str,
    site: &str,
) -> Response {
    let url = format!("{}{path}", platform.api.url);
    let cookie = cookie.split(';').next().unwrap_or_default();
    let request = platform.client.request(method, url).json(&json!({}));
    let request = request.header(COOKIE, cookie);
    let sent = request.header("Sec-Fetch-Site", site).send().await;
    sent.expect("the API answers")
}

/// The status and the JSON of the session that a cookie stands for.
async fn session_of(platform: &Platform, cookie: &str) -> (u16, Value) {
    let answer = send(platform, Method::GET, SESSION, cookie, "none").await;
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_the_role_of_its_key_and_a_cookie_for_this_site_only() {
    let platform = Platform::new().await;
    let key = Service::new_key(&platform.world, "viewer").await;

    let (status, cookie) = sign_in(&platform, &key).await;
    let (signed_in, caller) = session_of(&platform, &cookie).await;

    assert_eq!((status, signed_in), (201, 200));
    assert_eq!(caller["role"], "viewer");
    for attribute in ["HttpOnly", "SameSite=Strict", "Max-Age=43200", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lasts_until_its_browser_signs_out() {
    let platform = Platform::new().await;
    let (_, cookie) = sign_in(&platform, &platform.key).await;
    let (_, other) = sign_in(&platform, &platform.key).await;

    send(&platform, Method::DELETE, SESSION, &cookie, "same-origin").await;

    assert_eq!(session_of(&platform, &cookie).await.0, 401);
    assert_eq!(session_of(&platform, &other).await.0, 200);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_its_key_is_revoked() {
    let platform = Platform::new().await;
    let key = Service::new_key(&platform.world, "viewer").await;
    let (_, cookie) = sign_in(&platform, &key).await;
    assert_eq!(session_of(&platform, &cookie).await.0, 200);

    let keys = platform.get("/api/v1/api-keys").await;
    let newest = keys["data"][0]["id"].as_str().expect("a key has an id");
    let path = format!("/api/v1/api-keys/{newest}");
    platform.ask(Method::DELETE, &path, None).await;

    assert_eq!(session_of(&platform, &cookie).await.0, 401);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_changes_nothing_with_a_session() {
    let platform = Platform::new().await;
    let (_, cookie) = sign_in(&platform, &platform.key).await;

    let bulk = "/api/v1/webhooks/bulk";
    let foreign = send(&platform, Method::POST, bulk, &cookie, "same-site").await;
    let own = send(&platform, Method::POST, bulk, &cookie, "same-origin").await;

    assert_eq!(
        (foreign.status().as_u16(), own.status().as_u16()),
        (403, 422)
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_and_a_forged_cookie_sign_nobody_in() {
    let platform = Platform::new().await;

    let unknown = webhook_domain::ApiKey::from_random([7; 32]);
    for key in ["", "hunter2", unknown.reveal()] {
        assert_eq!(sign_in(&platform, key).await, (401, String::new()));
    }
    let (forged, _) = session_of(&platform, "webhooks_session=hunter2").await;
    assert_eq!(forged, 401);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_for_tls_only_where_plain_http_is_not_allowed() {
    let mut platform = Platform::new().await;
    let (_, plain) = sign_in(&platform, &platform.key).await;
    platform.api = Service::api_with(&platform.world, &[("WEBHOOK_ALLOW_HTTP", "false")]).await;
    let (_, secure) = sign_in(&platform, &platform.key).await;

    assert!(!plain.contains("Secure") && secure.contains("Secure"));
    platform.end().await;
}
