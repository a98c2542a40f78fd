//! Browsers that sign in with a key.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{Platform, Service};

/// Signs in, and tells the status and the cookie as it was set.
async fn sign_in(platform: &Platform, key: &str) -> (u16, String) {
    let url = format!("{}/api/v1/session", platform.api.url);
    let request = platform.client.post(url).json(&json!({"key": key}));
    let answer = request.send().await.expect("an answer");
    let cookie = answer.headers().get("set-cookie");
    let cookie = cookie.map(|cookie| cookie.to_str().expect("text").to_owned());
    (answer.status().as_u16(), cookie.unwrap_or_default())
}

async fn ask(platform: &Platform, method: Method, cookie: &str, site: &str) -> (u16, Value) {
    let path = if method == Method::GET {
        "/api/v1/session"
    } else {
        "/api/v1/webhooks/bulk"
    };
    let url = format!("{}{path}", platform.api.url);
    let cookie = cookie.split(';').next().unwrap_or_default();
    let request = platform
        .client
        .request(method, url)
        .header("Cookie", cookie);
    let request = request.header("Sec-Fetch-Site", site).json(&json!({}));
    let answer = request.send().await.expect("an answer");
    (
        answer.status().as_u16(),
        answer.json().await.unwrap_or_default(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lasts_until_it_is_signed_out_or_its_key_is_revoked() {
    let platform = Platform::new().await;
    let key = Service::new_key(&platform.world, "viewer").await;

    let (status, cookie) = sign_in(&platform, &key).await;
    let (_, other) = sign_in(&platform, &key).await;
    let (signed_in, caller) = ask(&platform, Method::GET, &cookie, "none").await;
    let url = format!("{}/api/v1/session", platform.api.url);
    let value = other.split(';').next().unwrap_or_default();
    platform
        .client
        .delete(url)
        .header("Sec-Fetch-Site", "same-origin")
        .header("Cookie", value)
        .send()
        .await
        .expect("an answer");
    let (signed_out, _) = ask(&platform, Method::GET, &other, "none").await;
    let keys = platform.get("/api/v1/api-keys").await;
    let path = format!(
        "/api/v1/api-keys/{}",
        keys["data"][0]["id"].as_str().expect("an id")
    );
    platform.ask(Method::DELETE, &path, None).await;
    let (revoked, _) = ask(&platform, Method::GET, &cookie, "none").await;

    assert_eq!(
        (status, signed_in, signed_out, revoked),
        (201, 200, 401, 401)
    );
    assert_eq!(caller["role"], "viewer");
    for attribute in ["HttpOnly", "SameSite=Strict", "Max-Age=43200", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_changes_nothing_with_a_session() {
    let platform = Platform::new().await;
    let (_, cookie) = sign_in(&platform, &platform.key).await;

    assert_eq!(
        ask(&platform, Method::POST, &cookie, "same-site").await.0,
        403
    );
    assert_eq!(
        ask(&platform, Method::POST, &cookie, "same-origin").await.0,
        422
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_valid_key_signs_nobody_in() {
    let platform = Platform::new().await;

    let unknown = webhook_domain::ApiKey::from_random([7; 32]);
    for key in ["", "hunter2", unknown.reveal()] {
        assert_eq!(sign_in(&platform, key).await, (401, String::new()));
    }
    let (forged, _) = ask(&platform, Method::GET, "webhooks_session=hunter2", "none").await;
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
