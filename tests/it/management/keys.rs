//! API keys created, listed, revoked.

use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{Platform, Service, each};

async fn make(platform: &Platform, role: &str, more: &Value) -> Value {
    let mut wanted = json!({"name": format!("a {role}"), "role": role});
    if let Some(expires_at) = more.get("expires_at") {
        wanted["expires_at"] = expires_at.clone();
    }
    let (status, made) = platform.post("/api/v1/api-keys", &wanted).await;
    assert_eq!(status, 201, "{made}");
    made
}

async fn revoke(platform: &Platform, id: &Value) -> u16 {
    let path = format!("/api/v1/api-keys/{}", id.as_str().expect("an id"));
    platform.ask(Method::DELETE, &path, None).await.0.as_u16()
}

/// The status of a request with a key.
async fn answer(platform: &Platform, key: &Value) -> u16 {
    answer_of(&platform.api, platform, key).await
}

/// The status of a request with a key to a replica.
async fn answer_of(api: &Service, platform: &Platform, key: &Value) -> u16 {
    let request = platform.client.get(format!("{}/api/v1/webhooks", api.url));
    let answer = request
        .bearer_auth(key.as_str().expect("a key"))
        .send()
        .await;
    answer.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_knows_a_key_learns_of_its_revocation_by_another_replica() {
    let platform = Platform::new().await;
    let other = Service::api(&platform.world).await;
    let made = make(&platform, "viewer", &json!({})).await;
    let known = answer_of(&other, &platform, &made["key"]).await;

    revoke(&platform, &made["id"]).await;

    let refused = async || {
        let status = answer_of(&other, &platform, &made["key"]).await;
        (status == 401).then_some(())
    };
    let world = &platform.world;
    world.eventually("the key is refused", refused).await;
    assert_eq!(known, 200);
    other.kill().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_until_it_is_revoked_or_expires() {
    let platform = Platform::new().await;
    let made = make(&platform, "viewer", &json!({})).await;
    let past = (Utc::now() - TimeDelta::seconds(1)).to_rfc3339();
    let expired = make(&platform, "viewer", &json!({"expires_at": past})).await;

    let works = answer(&platform, &made["key"]).await;
    let list = platform.get("/api/v1/api-keys").await;
    let revoked = revoke(&platform, &made["id"]).await;
    let refused = answer(&platform, &made["key"]).await;
    let again = revoke(&platform, &made["id"]).await;
    let after = platform.get("/api/v1/api-keys").await;

    assert_eq!((works, revoked, refused, again), (200, 204, 401, 404));
    assert_eq!(answer(&platform, &expired["key"]).await, 401);
    assert!(list["data"][1]["last_used_at"].is_string());
    assert!(list["data"][0]["last_used_at"].is_null());
    assert_eq!(each(&list["data"], "name")[1], "a viewer");
    let key = made["key"].as_str().expect("a key");
    assert!(key.starts_with(made["prefix"].as_str().expect("a prefix")));
    assert!(!list.to_string().contains(key));
    assert!(after["data"][1]["revoked_at"].is_string());
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_valid_key_of_an_owner_cannot_be_revoked() {
    let mut platform = Platform::new().await;
    let own = platform.get("/api/v1/api-keys").await["data"][0]["id"].clone();

    let alone = revoke(&platform, &own).await;
    let expired = json!({"expires_at": (Utc::now() - TimeDelta::seconds(1)).to_rfc3339()});
    make(&platform, "owner", &expired).await;
    let beside_expired = revoke(&platform, &own).await;
    let second = make(&platform, "owner", &json!({})).await;
    let second_key = second["key"].as_str().expect("a key").to_owned();
    let first_key = std::mem::replace(&mut platform.key, second_key);
    let first_goes = revoke(&platform, &own).await;
    let second_goes = revoke(&platform, &second["id"]).await;

    assert_eq!(answer(&platform, &json!(first_key)).await, 401);
    assert_eq!(
        (alone, beside_expired, first_goes, second_goes),
        (409, 409, 204, 409)
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_managed_by_owners_only_and_each_change_is_audited() {
    let mut platform = Platform::new().await;
    let made = make(&platform, "publisher", &json!({})).await;
    revoke(&platform, &made["id"]).await;
    let log = platform.get("/api/v1/audit").await;
    platform.key = Service::new_key(&platform.world, "admin").await;

    let (list, _) = platform.ask(Method::GET, "/api/v1/api-keys", None).await;
    let (create, _) = platform
        .post("/api/v1/api-keys", &json!({"name": "x", "role": "owner"}))
        .await;

    assert_eq!((list.as_u16(), create.as_u16()), (403, 403));
    assert_eq!(
        each(&log["data"], "action"),
        ["api_key.revoked", "api_key.created", "api_key.created"]
    );
    assert_eq!(log["data"][2]["actor"]["name"], "command line");
    assert!(
        !log.to_string()
            .contains(made["key"].as_str().expect("a key"))
    );
    platform.end().await;
}
