//! What owners set for the whole platform, and what comes of it, through the real programs.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{Platform, Receiver, Service, path_of};

const SETTINGS: &str = "/api/v1/settings";

async fn change(platform: &Platform, change: Value) -> Value {
    let (status, answer) = platform.patch(SETTINGS, &change).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn publish(platform: &Platform) -> String {
    let published = platform.publish(Environment::Production, EventType::LicenseCreated);
    published.await.to_string()
}

/// Waits until a question to the database has this answer.
async fn count_becomes(platform: &Platform, sql: &str, count: i64) {
    let (world, database) = (&platform.world, &platform.world.database);
    world.becomes(sql, count, || database.ask(sql)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_defaults_are_shown_with_the_schedules_of_retries() {
    let platform = Platform::new().await;

    let answer = platform.request(Method::GET, SETTINGS).send().await;
    let answer = answer.expect("an answer");
    let etag = answer.headers()["etag"].clone();
    let shown: Value = answer.json().await.expect("JSON");

    assert_eq!(etag, "\"1\"");
    assert_eq!(shown["version"], 1);
    assert_eq!(
        shown["retention"],
        json!({"events": "30d", "deliveries": "30d", "bodies": "7d", "audit": "365d"})
    );
    assert_eq!(
        (&shown["disable_after"], &shown["default_grace_period"]),
        (&json!("5d"), &json!("1d"))
    );
    assert_eq!(shown["egress_addresses"], json!([]));
    let policies = platform.get("/api/v1/retry-policies").await;
    assert_eq!(shown["default_retry_policies"], policies["data"]);
    assert_eq!(
        policies["data"][0]["schedule_ms"].as_array().map(Vec::len),
        Some(11)
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_is_checked_and_what_is_wrong_changes_nothing() {
    let platform = Platform::new().await;
    for (body, field) in [
        (json!({"retention": {"events": "0"}}), "retention.events"),
        (json!({"retention": {"audit": "23h"}}), "retention.audit"),
        (json!({"retention": {"audit": "3651d"}}), "retention.audit"),
        (
            json!({"retention": {"events": "29d"}}),
            "retention.deliveries",
        ),
        (json!({"retention": {"bodies": "31d"}}), "retention.bodies"),
        (json!({"retention": "30d"}), "retention"),
        (json!({"disable_after": "59m"}), "disable_after"),
        (json!({"disable_after": "91d"}), "disable_after"),
        (
            json!({"default_grace_period": "8d"}),
            "default_grace_period",
        ),
        (
            json!({"egress_addresses": ["192.0.2.1", "example.com"]}),
            "egress_addresses[1]",
        ),
        (
            json!({"egress_addresses": (0..101).map(|n| format!("192.0.2.{n}")).collect::<Value>()}),
            "egress_addresses",
        ),
        (json!({"colour": "blue"}), "colour"),
    ] {
        let (status, problem) = platform.patch(SETTINGS, &body).await;

        let fields = (status.as_u16(), &problem["errors"][0]["field"]);
        assert_eq!(fields, (422, &json!(field)), "{body}");
    }
    assert_eq!(platform.get(SETTINGS).await["version"], 1);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_of_one_version_of_the_settings_one_is_refused() {
    let platform = Platform::new().await;
    let change_if = async |etag: &str, disable_after: &str| {
        let request = platform.request(Method::PATCH, SETTINGS);
        let request = request.header("If-Match", etag);
        let sent = request
            .json(&json!({"disable_after": disable_after}))
            .send();
        let answer = sent.await.expect("an answer");
        (
            answer.status().as_u16(),
            answer.headers()["etag"].to_str().expect("text").to_owned(),
        )
    };

    let (one, two) = tokio::join!(change_if("\"1\"", "6d"), change_if("\"1\"", "7d"));
    let again = change_if("\"2\"", "8d").await;
    let same = change_if("\"3\"", "8d").await;

    let mut first = [one, two];
    first.sort();
    let tag = |version: u8| format!("\"{version}\"");
    assert_eq!(first, [(200, tag(2)), (412, tag(2))]);
    assert_eq!(again, (200, tag(3)));
    assert_eq!(same, (200, tag(3)), "nothing changed");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_the_settings_and_only_an_owner_changes_them() {
    let mut platform = Platform::new().await;
    let mut told = Vec::new();

    for role in ["viewer", "publisher", "admin", "owner"] {
        platform.key = Service::new_key(&platform.world, role).await;
        let (read, _) = platform.ask(Method::GET, SETTINGS, None).await;
        let (changed, _) = platform.patch(SETTINGS, &json!({})).await;
        told.push((role, read.as_u16(), changed.as_u16()));
    }

    assert_eq!(
        told,
        [
            ("viewer", 200, 403),
            ("publisher", 403, 403),
            ("admin", 200, 403),
            ("owner", 200, 200)
        ]
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_settings_is_in_the_audit_log_as_it_was_and_as_it_is() {
    let platform = Platform::new().await;

    let new = json!({"retention": {"bodies": "2d"}, "egress_addresses": ["192.0.2.1/24"]});
    let changed = change(&platform, new).await;
    change(&platform, json!({"retention": {"bodies": "48h"}})).await;
    let log = platform.get("/api/v1/audit?action=settings.changed").await;

    let entries = log["data"].as_array().expect("entries");
    assert_eq!(entries.len(), 1, "the second changed nothing");
    assert_eq!(entries[0]["before"]["retention"]["bodies"], "7d");
    assert_eq!(entries[0]["after"]["retention"]["bodies"], "2d");
    assert_eq!(
        entries[0]["after"]["egress_addresses"],
        json!(["192.0.2.0/24"])
    );
    assert_eq!(changed["version"], 2);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_disabled_after_the_time_that_is_set_by_then() {
    let platform = Platform::new().await;
    let broken = Receiver::answering(&[500; 4]).await;
    let path = platform.webhook_at(&broken.url).await;
    let once = json!({"retry_policy": {"max_attempts": 1}});
    platform.patch(&path, &once).await;
    let fail_then = async |failures: i64, sql: &str| {
        publish(&platform).await;
        let (world, database) = (&platform.world, &platform.world.database);
        world
            .becomes("failures in a row", failures, || {
                database.failures_in_a_row()
            })
            .await;
        platform.world.database.execute(sql).await;
    };
    let warned = "SELECT count(*) FROM webhook_health WHERE warned_at IS NOT NULL";

    let long_ago = "UPDATE webhook_health SET failing_since = now() - interval '2 hours'";
    fail_then(1, long_ago).await;
    fail_then(2, "").await;
    let warned_before: i64 = platform.world.database.ask(warned).await;
    change(&platform, json!({"disable_after": "1h"})).await;
    let a_while_ago = "UPDATE webhook_health SET warned_at = now() - interval '1 hour'";
    fail_then(3, a_while_ago).await;
    publish(&platform).await;
    let disabled = async || {
        let webhook = platform.get(&path).await;
        (webhook["status"] == "inactive").then_some(webhook["disabled_reason"].clone())
    };
    let reason = platform.world.eventually("it is disabled", disabled).await;

    assert_eq!(warned_before, 0);
    assert_eq!(reason, "every attempt failed for 1 hour");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_rotation_has_the_grace_period_that_is_set_by_then() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    let rotate = async |body: Value| {
        let rotated = platform.post(&format!("{path}/secret/rotate"), &body).await;
        rotated.1["previous"].clone()
    };
    let hours = |previous: &Value| {
        let until: DateTime<Utc> = previous[0]["valid_until"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("a time");
        (until - Utc::now()).num_minutes() as f64 / 60.0
    };

    let by_default = rotate(json!({})).await;
    change(&platform, json!({"default_grace_period": "2h"})).await;
    let as_set = rotate(json!({})).await;
    let as_asked = rotate(json!({"grace_period": "5h"})).await;
    change(&platform, json!({"default_grace_period": "0"})).await;
    let without = rotate(json!({})).await;

    assert!((23.9..=24.0).contains(&hours(&by_default)), "{by_default}");
    assert!((1.9..=2.0).contains(&hours(&as_set)), "{as_set}");
    assert!((4.9..=5.0).contains(&hours(&as_asked)), "{as_asked}");
    assert_eq!(without, json!([]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_and_what_is_pending_stays_with_its_event() {
    let platform = Platform::new().await;
    let (good, failing) = (
        Receiver::answering(&[]).await,
        Receiver::answering(&[500]).await,
    );
    platform.webhook_at(&good.url).await;
    let path = platform.webhook_at(&failing.url).await;
    let patient = json!({"retry_policy": {"initial_interval_ms": 3_600_000}});
    platform.patch(&path, &patient).await;
    let owed = publish(&platform).await;
    let (world, database) = (&platform.world, &platform.world.database);
    world.becomes("attempts", 2, || database.attempts()).await;
    let unwanted = platform.publish(Environment::Staging, EventType::LicenseCreated);
    platform.taken_in(unwanted.await).await;
    platform.world.database.age(40).await;
    let fresh = publish(&platform).await;
    world.becomes("attempts", 4, || database.attempts()).await;

    change(&platform, json!({"retention": {"audit": "39d"}})).await;
    let hours = "SELECT count(*) FROM webhook_hours WHERE hour < now() - interval '39 days'";
    count_becomes(&platform, hours, 0).await;
    let kept: String = platform
        .world
        .database
        .ask("SELECT string_agg(event_id || ' ' || status, ', ' ORDER BY id) FROM deliveries")
        .await;
    let events: Vec<String> = platform
        .world
        .database
        .ask("SELECT array_agg(id::text ORDER BY received_at) FROM events")
        .await;
    platform
        .world
        .database
        .execute("UPDATE deliveries SET next_attempt_at = now() WHERE status = 'pending'")
        .await;
    let arrived = async || (failing.count() == 3).then_some(());
    platform
        .world
        .eventually("it is tried again", arrived)
        .await;

    assert_eq!(
        kept,
        format!("{owed} pending, {fresh} succeeded, {fresh} succeeded")
    );
    assert_eq!(events, [owed, fresh]);
    assert_eq!(failing.received()[0].body, failing.received()[2].body);
    let attempts = database.attempts().await;
    assert!((3..=4).contains(&attempts), "{attempts}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_kept_for_a_shorter_time_goes_without_a_restart() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    publish(&platform).await;
    let (world, database) = (&platform.world, &platform.world.database);
    world.becomes("attempts", 1, || database.attempts()).await;
    platform.world.database.age(10).await;

    let shorter = json!({"retention": {"events": "9d", "deliveries": "9d"}});
    change(&platform, shorter).await;
    for table in ["deliveries", "attempts", "events"] {
        count_becomes(&platform, &format!("SELECT count(*) FROM {table}"), 0).await;
    }
    let created = platform.get("/api/v1/audit?action=webhook.created").await;
    change(&platform, json!({"retention": {"audit": "9d"}})).await;
    count_becomes(
        &platform,
        "SELECT count(*) FROM audit_entries WHERE action = 'webhook.created'",
        0,
    )
    .await;

    assert_eq!(created["data"].as_array().map(Vec::len), Some(1));
    let changes = platform.get("/api/v1/audit?action=settings.changed").await;
    assert_eq!(changes["data"].as_array().map(Vec::len), Some(2));
    let hours: i64 = platform
        .world
        .database
        .ask("SELECT count(*) FROM webhook_hours")
        .await;
    assert_eq!(hours, 1, "the pages show a month");
    assert_eq!(platform.get(&path_of(&webhook)).await["status"], "active");
    platform.end().await;
}
