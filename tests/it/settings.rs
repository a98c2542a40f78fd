//! The settings of the whole platform, changed by owners, and the effects, through the real
//! programs.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{CreatedWebhook, Platform, Receiver, Service, assert_fields, length_of};

const SETTINGS: &str = "/api/v1/settings";

async fn change(platform: &Platform, change: Value) -> Value {
    let (status, answer) = platform.patch(SETTINGS, &change).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Waits until a count in the database is `count`.
async fn count_becomes(platform: &Platform, sql: &str, count: i64) {
    let (world, database) = (&platform.world, &platform.world.database);
    world.becomes(sql, count, || database.ask(sql)).await;
}

/// Waits until `count` attempts are recorded.
async fn attempts_become(platform: &Platform, count: i64) {
    count_becomes(platform, "SELECT count(*) FROM attempts", count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_defaults_are_shown_with_the_schedules_of_retries() {
    let platform = Platform::new().await;

    let answer = platform.request(Method::GET, SETTINGS).send().await;
    let answer = answer.expect("an answer");
    let etag = answer.headers()["etag"].clone();
    let shown: Value = answer.json().await.expect("JSON");

    assert_eq!(etag, "\"1\"");
    assert_fields(
        &shown,
        &json!({"version": 1, "disable_after": "5d", "default_grace_period": "1d",
            "egress_addresses": [], "retention":
            {"events": "30d", "deliveries": "30d", "bodies": "7d", "audit": "365d"}}),
    );
    let policies = platform.get("/api/v1/retry-policies").await["data"].clone();
    assert_eq!(shown["default_retry_policies"], policies);
    let schedule = policies[0]["schedule_ms"].as_array();
    assert_eq!(schedule.map(Vec::len), Some(11));
    platform.end().await;
}

/// Refused changes, each with the field in the problem.
fn refused_changes() -> Vec<(Value, &'static str)> {
    let too_many: Value = (0..101).map(|n| format!("192.0.2.{n}")).collect();
    vec![
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
        (json!({"egress_addresses": too_many}), "egress_addresses"),
        (json!({"colour": "blue"}), "colour"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_is_checked_and_a_refused_change_changes_nothing() {
    let platform = Platform::new().await;

    for (change, field) in refused_changes() {
        let (status, problem) = platform.patch(SETTINGS, &change).await;

        assert_eq!(status, 422, "{change}");
        assert_eq!(problem["errors"][0]["field"], field, "{change}");
    }

    assert_eq!(platform.get(SETTINGS).await["version"], 1);
    platform.end().await;
}

/// Changes the settings of `version`, and returns the status and the version afterwards.
async fn change_if(platform: &Platform, version: u8, disable_after: &str) -> (u16, u8) {
    let request = platform.request(Method::PATCH, SETTINGS);
    let request = request.header("If-Match", format!("\"{version}\""));
    let change = json!({"disable_after": disable_after});
    let answer = request.json(&change).send().await;
    let answer = answer.expect("the API answers");
    let etag = answer.headers()["etag"].to_str().expect("an etag is text");
    let version = etag.trim_matches('"').parse().expect("a version");
    (answer.status().as_u16(), version)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_of_one_version_of_the_settings_one_is_refused() {
    let platform = Platform::new().await;
    let (one, two) = tokio::join!(change_if(&platform, 1, "6d"), change_if(&platform, 1, "7d"));
    let again = change_if(&platform, 2, "8d").await;
    let same = change_if(&platform, 3, "8d").await;

    let mut first = [one, two];
    first.sort_unstable();
    assert_eq!(first, [(200, 2), (412, 2)]);
    assert_eq!(again, (200, 3));
    assert_eq!(same, (200, 3), "the same value makes no version");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_read_the_settings_and_only_an_owner_changes_them() {
    let mut platform = Platform::new().await;

    for (role, read, changed) in [
        ("viewer", 200, 403),
        ("publisher", 403, 403),
        ("admin", 200, 403),
        ("owner", 200, 200),
    ] {
        platform.key = Service::new_key(&platform.world, role).await;
        let (reading, _) = platform.ask(Method::GET, SETTINGS, None).await;
        let (changing, _) = platform.patch(SETTINGS, &json!({})).await;
        assert_eq!(reading, read, "{role}");
        assert_eq!(changing, changed, "{role}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_settings_is_audited_with_values_before_and_after() {
    let platform = Platform::new().await;

    let new = json!({"retention": {"bodies": "2d"}, "egress_addresses": ["192.0.2.1/24"]});
    let changed = change(&platform, new).await;
    change(&platform, json!({"retention": {"bodies": "48h"}})).await;
    let log = platform.get("/api/v1/audit?action=settings.changed").await;

    let entries = log["data"].as_array().expect("entries");
    assert_eq!(entries.len(), 1, "48 hours are the 2 days of before");
    assert_eq!(entries[0]["before"]["retention"]["bodies"], "7d");
    assert_eq!(entries[0]["after"]["retention"]["bodies"], "2d");
    assert_eq!(
        entries[0]["after"]["egress_addresses"],
        json!(["192.0.2.0/24"])
    );
    assert_eq!(changed["version"], 2);
    platform.end().await;
}

/// A platform with a webhook of a single attempt per delivery, whose receiver fails.
async fn with_failing_webhook() -> (Platform, CreatedWebhook) {
    let platform = Platform::new().await;
    let broken = Receiver::answering(&[500; 4]).await;
    let webhook = platform.webhook_to(&broken).once().create().await;
    (platform, webhook)
}

/// Publishes an event, and waits until the webhook has failed `failures` times in a row.
async fn fail(platform: &Platform, failures: i64) {
    platform.take_in(EventType::LicenseCreated).await;
    let (world, database) = (&platform.world, &platform.world.database);
    let count = || database.failures_in_a_row();
    world.becomes("failures in a row", failures, count).await;
}

/// Waits until a webhook is Inactive, and returns the reason.
async fn disabled_reason(platform: &Platform, webhook: &CreatedWebhook) -> Value {
    let disabled = async || {
        let webhook = platform.get(&webhook.path).await;
        (webhook["status"] == "inactive").then_some(webhook["disabled_reason"].clone())
    };
    let world = &platform.world;
    world.eventually("the webhook is disabled", disabled).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_webhook_is_disabled_by_the_disable_after_of_that_moment() {
    let (platform, webhook) = with_failing_webhook().await;
    let database = &platform.world.database;

    fail(&platform, 1).await;
    let for_hours = "UPDATE webhook_health SET failing_since = now() - interval '2 hours'";
    database.execute(for_hours).await;
    fail(&platform, 2).await;
    let warned = "SELECT count(*) FROM webhook_health WHERE warned_at IS NOT NULL";
    let warned_before: i64 = database.ask(warned).await;
    change(&platform, json!({"disable_after": "1h"})).await;
    fail(&platform, 3).await;
    let an_hour_ago = "UPDATE webhook_health SET warned_at = now() - interval '1 hour'";
    database.execute(an_hour_ago).await;
    platform.take_in(EventType::LicenseCreated).await;

    let reason = disabled_reason(&platform, &webhook).await;
    assert_eq!(warned_before, 0, "2 hours are less than 5 days");
    assert_eq!(reason, "every attempt failed for 1 hour");
    platform.end().await;
}

/// Generates a new secret, and returns the previous secrets.
async fn rotate(platform: &Platform, webhook: &CreatedWebhook, body: Value) -> Value {
    let path = format!("{}/secret/rotate", webhook.path);
    let (status, rotated) = platform.post(&path, &body).await;
    assert_eq!(status, 200, "{rotated}");
    rotated["previous"].clone()
}

/// Asserts the grace period of the latest previous secret: it signs for another `hours`, or for up
/// to 6 minutes less.
#[track_caller]
fn assert_grace_period(previous: &Value, hours: i64) {
    let until = previous[0]["valid_until"].as_str().expect("a time");
    let until: DateTime<Utc> = until.parse().expect("a time");
    let minutes = (until - Utc::now()).num_minutes();
    assert!(
        (60 * hours - 6..=60 * hours).contains(&minutes),
        "{previous}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_has_the_default_grace_period_of_that_moment() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;

    let by_default = rotate(&platform, &webhook, json!({})).await;
    change(&platform, json!({"default_grace_period": "2h"})).await;
    let as_set = rotate(&platform, &webhook, json!({})).await;
    let as_asked = rotate(&platform, &webhook, json!({"grace_period": "5h"})).await;
    change(&platform, json!({"default_grace_period": "0"})).await;
    let without = rotate(&platform, &webhook, json!({})).await;

    assert_grace_period(&by_default, 24);
    assert_grace_period(&as_set, 2);
    assert_grace_period(&as_asked, 5);
    assert_eq!(without, json!([]));
    platform.end().await;
}

/// A platform 40 days after two events: an event of production, accepted by a webhook and due in an
/// hour for a failing webhook, and an event without a webhook.
struct Old {
    platform: Platform,
    /// The receiver of the failing webhook: a 500, then 200.
    failing: Receiver,
    /// The event of production.
    owed: String,
}

impl Old {
    async fn new() -> Self {
        let platform = Platform::new().await;
        let good = Receiver::answering(&[]).await;
        let failing = Receiver::answering(&[500]).await;
        platform.webhook_to(&good).create().await;
        platform.webhook_to(&failing).patient().create().await;
        let owed = platform.take_in(EventType::LicenseCreated).await;
        attempts_become(&platform, 2).await;
        let unwanted = platform.publish(Environment::Staging, EventType::LicenseCreated);
        platform.taken_in(unwanted.await).await;
        platform.world.database.age(40).await;
        Self {
            platform,
            failing,
            owed: owed.to_string(),
        }
    }

    /// Publishes an event and waits for both attempts; starts the sweep of old rows and waits for
    /// the end.
    async fn publish_and_sweep(&self) -> String {
        let fresh = self.platform.take_in(EventType::LicenseCreated).await;
        // The sweep that runs by itself may have removed attempts of the old event already.
        let attempted = format!(
            "SELECT count(*) FROM attempts JOIN deliveries ON deliveries.id = delivery_id
             WHERE event_id = '{fresh}'"
        );
        count_becomes(&self.platform, &attempted, 2).await;
        change(&self.platform, json!({"retention": {"audit": "39d"}})).await;
        let hours = "SELECT count(*) FROM webhook_hours WHERE hour < now() - interval '39 days'";
        count_becomes(&self.platform, hours, 0).await;
        fresh.to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rows_are_removed_and_a_pending_delivery_stays_with_its_event() {
    let old = Old::new().await;
    let fresh = old.publish_and_sweep().await;
    let (owed, database) = (&old.owed, &old.platform.world.database);

    let deliveries =
        "SELECT string_agg(event_id || ' ' || status, ', ' ORDER BY id) FROM deliveries";
    let deliveries: String = database.ask(deliveries).await;
    let events = "SELECT array_agg(id::text ORDER BY received_at) FROM events";
    let events: Vec<String> = database.ask(events).await;

    assert_eq!(
        deliveries,
        format!("{owed} pending, {fresh} succeeded, {fresh} succeeded")
    );
    assert_eq!(events, [owed.as_str(), &fresh]);
    old.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_delivery_past_the_retention_is_attempted_with_the_same_body() {
    let old = Old::new().await;
    old.publish_and_sweep().await;
    let database = &old.platform.world.database;

    let due = "UPDATE deliveries SET next_attempt_at = now() WHERE status = 'pending'";
    database.execute(due).await;
    let requests = old.failing.arrived(3).await;

    assert_eq!(requests[0].body, requests[2].body);
    let attempts = database.attempts().await;
    assert!((3..=4).contains(&attempts), "{attempts}");
    old.platform.end().await;
}

/// A platform with a webhook and an event, delivered ten days ago.
async fn ten_days_later() -> (Platform, CreatedWebhook) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    platform.take_in(EventType::LicenseCreated).await;
    attempts_become(&platform, 1).await;
    platform.world.database.age(10).await;
    (platform, webhook)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_retention_of_deliveries_takes_effect_without_a_restart() {
    let (platform, webhook) = ten_days_later().await;

    let shorter = json!({"retention": {"events": "9d", "deliveries": "9d"}});
    change(&platform, shorter).await;

    for table in ["deliveries", "attempts", "events"] {
        count_becomes(&platform, &format!("SELECT count(*) FROM {table}"), 0).await;
    }
    let hours = "SELECT count(*) FROM webhook_hours";
    let hours: i64 = platform.world.database.ask(hours).await;
    assert_eq!(hours, 1, "statistics of a month stay for the pages");
    assert_eq!(platform.get(&webhook.path).await["status"], "active");
    let created = platform.get("/api/v1/audit?action=webhook.created").await;
    assert_eq!(length_of(&created), 1);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_retention_of_the_audit_log_takes_effect_without_a_restart() {
    let (platform, _) = ten_days_later().await;

    change(&platform, json!({"retention": {"audit": "9d"}})).await;

    let created = "SELECT count(*) FROM audit_entries WHERE action = 'webhook.created'";
    count_becomes(&platform, created, 0).await;
    let changes = platform.get("/api/v1/audit?action=settings.changed").await;
    assert_eq!(length_of(&changes), 1);
    platform.end().await;
}
