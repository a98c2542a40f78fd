//! Webhooks replaced, patched, deleted, and what the audit log tells of it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{Answer, Platform, Receiver, Service, path_of};

use crate::management::{each, fields};

async fn patch_if(platform: &Platform, path: &str, etag: &str, name: &str) -> (u16, Value) {
    let request = platform
        .request(Method::PATCH, path)
        .header("If-Match", etag);
    let response = request.json(&json!({"name": name})).send().await;
    let response = response.expect("an answer");
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_changes_what_it_names_and_a_replacement_everything() {
    let platform = Platform::new().await;
    let whole = json!({
        "name": "CRM", "url": "http://127.0.0.1:9/", "environment": "staging",
        "event_types": ["license.*"], "headers": {"X-Tenant": "42"}, "metadata": {"team": "a"},
        "timeout_ms": 500, "rate_limit": 5, "description": "first",
    });
    let (_, created) = platform.post("/api/v1/webhooks", &whole).await;
    let path = path_of(&created);

    let change =
        json!({"rate_limit": null, "metadata": {"tier": "gold"}, "headers": {"X-More": "1"}});
    let (patched_status, patched) = platform.patch(&path, &change).await;
    let replacement = json!({"name": "ERP", "url": "http://127.0.0.1:9/", "environment": "production",
        "event_types": ["contract.created"]});
    let put = platform.ask(Method::PUT, &path, Some(replacement.to_string()));
    let (put_status, replaced) = put.await;

    assert_eq!((patched_status.as_u16(), put_status.as_u16()), (200, 200));
    assert_eq!(patched["header_names"], json!(["x-more", "x-tenant"]));
    assert_eq!(patched["metadata"], json!({"team": "a", "tier": "gold"}));
    assert_eq!(
        (&patched["rate_limit"], &patched["timeout_ms"]),
        (&Value::Null, &json!(500))
    );
    assert_eq!(patched["description"], "first");
    assert_eq!(replaced["header_names"], json!([]));
    assert_eq!(
        (&replaced["description"], &replaced["timeout_ms"]),
        (&json!(""), &Value::Null)
    );
    assert_eq!(
        (&replaced["environment"], &replaced["version"]),
        (&json!("production"), &json!(3))
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_one_version_cannot_both_win() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;

    let (one, two) = tokio::join!(
        patch_if(&platform, &path, "\"1\"", "one"),
        patch_if(&platform, &path, "\"1\"", "two")
    );
    let (won, lost) = if one.0 == 200 { (one, two) } else { (two, one) };
    let after = platform.get(&path).await;
    let (again, _) = patch_if(&platform, &path, "\"2\"", "third").await;

    assert_eq!((won.0, lost.0, again), (200, 412, 200));
    assert_eq!(lost.1["current_version"], 2);
    assert_eq!(after["name"], won.1["name"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_from_the_next_request_on() {
    let platform = Platform::new().await;
    let (old, new) = (
        Receiver::answering(&[]).await,
        Receiver::answering(&[]).await,
    );
    let path = platform.webhook_at(&old.url).await;
    let arrived = async |receiver: &Receiver| {
        platform
            .publish(Environment::Production, EventType::LicenseCreated)
            .await;
        let some = async || receiver.received().pop();
        platform.world.eventually("the request arrives", some).await
    };

    arrived(&old).await;
    let change = json!({"url": new.url, "headers": {"Authorization": "Bearer 42"}});
    platform.patch(&path, &change).await;
    let request = arrived(&new).await;

    assert_eq!(old.count(), 1);
    assert_eq!(request.headers["authorization"], "Bearer 42");
    let told = platform.get(&path).await;
    assert_eq!(told["header_names"], json!(["authorization"]));
    assert!(!told.to_string().contains("Bearer 42"));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_to_where_the_webhook_is_by_then() {
    let mut platform = Platform::new().await;
    // Its leases allow for a long attempt, during which the change is noticed.
    let patient = Service::patient_dispatcher(&platform.world);
    let impatient = std::mem::replace(&mut platform.dispatcher, patient);
    impatient.kill().await;
    let hanging = Receiver::deciding(|_, _| Answer::Hang).await;
    let new = Receiver::answering(&[]).await;
    let path = platform.webhook_at(&hanging.url).await;
    let slow = json!({"max_concurrency": 1, "timeout_ms": 6_000});
    platform.patch(&path, &slow).await;

    for _ in 0..3 {
        platform
            .publish(Environment::Production, EventType::LicenseCreated)
            .await;
    }
    let begun = async || (hanging.count() == 1).then_some(());
    platform.world.eventually("one is under way", begun).await;
    platform.patch(&path, &json!({"url": new.url})).await;
    let arrived = async || (new.count() == 3).then_some(());
    platform.world.eventually("all arrive", arrived).await;

    assert_eq!(hanging.count(), 1);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_own_timeout_is_what_counts() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::After(Duration::from_secs(60))).await;
    let path = platform.webhook_at(&receiver.url).await;
    platform.patch(&path, &json!({"timeout_ms": 100})).await;

    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    let last = async || {
        let last = platform.get(&path).await["last_delivery"].clone();
        last.is_object().then_some(last)
    };
    let last = platform.world.eventually("it is attempted", last).await;

    let duration: i32 = platform
        .world
        .database
        .ask("SELECT min(duration_ms) FROM attempts")
        .await;
    assert_eq!(last["failure_class"], "timeout");
    // The environment's own timeout is 2 s here.
    assert!((100..1_500).contains(&duration), "{duration}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_webhook_is_as_unknown_as_any_other_and_its_history_stays() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Header(500, "Retry-After: 3600")).await;
    let path = platform.webhook_at(&receiver.url).await;
    platform
        .patch(
            &path,
            &json!({"retry_policy": {"initial_interval_ms": 3_600_000}}),
        )
        .await;
    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    let failed = async || (platform.get(&path).await["last_24h"]["attempts"] == 1).then_some(());
    platform
        .world
        .eventually("an attempt is recorded", failed)
        .await;

    let (deleted, _) = platform.ask(Method::DELETE, &path, None).await;
    let event = platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    platform.taken_in(event).await;

    assert_eq!(deleted, 204);
    for (method, body) in [
        (Method::GET, None),
        (Method::DELETE, None),
        (Method::PATCH, Some("{}".to_owned())),
    ] {
        assert_eq!(platform.ask(method, &path, body).await.0, 404);
    }
    let deliveries = platform.get("/api/v1/deliveries").await;
    assert_eq!(each(&deliveries["data"], "status"), ["cancelled"]);
    let id = deliveries["data"][0]["id"].as_str().expect("an id");
    let delivery = platform.get(&format!("/api/v1/deliveries/{id}")).await;
    assert_eq!(delivery["attempts"][0]["response_status"], 500);
    assert_eq!(platform.get("/api/v1/webhooks").await["data"], json!([]));
    let left: i64 = platform
        .world
        .database
        .ask("SELECT count(*) FROM webhooks WHERE octet_length(sealed_secret) > 0")
        .await;
    assert_eq!(left, 0, "its secret is gone");
    platform.end().await;
}

/// 6,000 pending deliveries of `{webhook}`.
const LATE_DELIVERIES: &str = include_str!("changes.sql");

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_pending_for_a_deleted_webhook_is_cancelled_in_the_end() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    let id = path.rsplit('/').next().expect("an id");
    platform.ask(Method::DELETE, &path, None).await;
    // An event that was being taken in at that moment may not have seen it.
    platform
        .world
        .database
        .execute(&LATE_DELIVERIES.replace("{webhook}", id))
        .await;

    let (world, database) = (&platform.world, &platform.world.database);
    let cancelled = "SELECT count(*) FROM deliveries WHERE status = 'cancelled'";
    world
        .becomes("cancelled deliveries", 6_000, || database.ask(cancelled))
        .await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_must_not_be_called_is_refused_with_the_reason() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;

    for url in [
        "http://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://user:pw@example.com/",
        "https://example.com/#top",
        "ftp://example.com/",
        "/relative",
    ] {
        let (status, problem) = platform.patch(&path, &json!({"url": url})).await;
        assert_eq!(
            (status.as_u16(), fields(&problem)),
            (422, vec!["url"]),
            "{url}"
        );
    }
    platform.end().await;
}
