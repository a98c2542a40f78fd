//! The work of owners and admins: keys, settings, jobs, and the audit log.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use webhook_domain::AuditAction;

use super::table::{id_at, insert};
use super::webhooks::Shown;
use crate::{Platform, World};

const KEYS: [(&str, &str); 7] = [
    ("Terraform, production", "admin"),
    ("License service", "publisher"),
    (
        "Telemetry collector of the European region, blue",
        "publisher",
    ),
    ("Dashboard in the hall", "viewer"),
    ("Priya Raman", "admin"),
    ("Tomás Ó Briain", "owner"),
    ("Contractor, until the end of the month", "viewer"),
];

const ENTRIES: usize = 240;

/// The states of the keys after some time.
const KEYS_THEN: &str = include_str!("desk/keys.sql");

/// A key with entries in the audit log.
pub(super) struct Key {
    id: Value,
    name: &'static str,
}

/// Makes keys, and saves the settings of owners.
pub(super) async fn make_keys(platform: &Platform) -> Vec<Key> {
    let mut keys = Vec::new();
    for (name, role) in KEYS {
        let wanted = json!({"name": name, "role": role});
        let (status, made) = platform.post("/api/v1/api-keys", &wanted).await;
        assert_eq!(status, 201, "{made}");
        let id = made["id"].clone();
        keys.push(Key { id, name });
    }
    let links = json!({"license_id": "https://licenses.example.com/{id}"});
    let wanted = json!({"egress_addresses": ["203.0.113.16/28", "2001:db8:40::/48"], "link_patterns": links});
    let (status, settings) = platform.patch("/api/v1/settings", &wanted).await;
    assert_eq!(status, 200, "{settings}");
    keys
}

/// Writes the rest.
pub(super) async fn write(
    world: &World,
    webhooks: &[Shown],
    keys: &[Key],
    now: DateTime<Utc>,
    rng: &mut StdRng,
) {
    world.database.execute(KEYS_THEN).await;
    let entries = (0..ENTRIES).map(|number| {
        let webhook = &webhooks[rng.random_range(0..webhooks.len())];
        let key = &keys[4 + number % 2];
        entry(number, webhook, key, now, rng)
    });
    let entries: Vec<Value> = entries.collect();
    insert(world, "audit_entries", &entries).await;
    insert(world, "jobs", &jobs(webhooks, &keys[4], now, rng)).await;
    let again = include_str!("desk/retries.sql");
    world.database.execute(again).await;
}

fn entry(number: usize, webhook: &Shown, key: &Key, now: DateTime<Utc>, rng: &mut StdRng) -> Value {
    let at = now - TimeDelta::seconds(rng.random_range(120..5_000_000));
    let action = AuditAction::ALL[number % AuditAction::ALL.len()];
    let is_of_webhook = action.as_str().starts_with("webhook.");
    let by_platform = action == AuditAction::WebhookDisabled;
    let (before, after) = change(action, webhook);
    json!({
        "id": id_at(at, rng), "at": at, "action": action.as_str(),
        "actor_id": if by_platform { &Value::Null } else { &key.id },
        "actor_name": if by_platform { "platform" } else { key.name },
        "request_id": (!by_platform).then(|| format!("req-{:012x}", rng.random_range(0..u64::MAX >> 16))),
        "webhook_id": is_of_webhook.then_some(webhook.id),
        "subject": if is_of_webhook { webhook.name.as_str() } else { action.as_str() },
        "before": before, "after": after,
    })
}

/// The values before and after, as an entry tells the values.
fn change(action: AuditAction, webhook: &Shown) -> (Value, Value) {
    if action == AuditAction::WebhookUpdated {
        let before = json!({"url": "https://old.example.com/hooks", "event_types": ["license.created"], "rate_limit": null});
        let after = json!({"url": webhook.url, "event_types": ["license.*", "contract.suspended"], "rate_limit": 50});
        (before, after)
    } else if action == AuditAction::SettingsChanged {
        let keep = |time| json!({"retention": {"deliveries": time}});
        (keep("30d"), keep("14d"))
    } else if action == AuditAction::WebhookTested {
        (Value::Null, json!({"event_type": "license.activated"}))
    } else {
        (Value::Null, Value::Null)
    }
}

/// How each job stands: kind, status, of how many, done, skipped, hours ago.
const JOBS: [(&str, &str, u32, u32, u32, i64); 6] = [
    ("retry", "running", 4_800, 1_225, 12, 0),
    ("replay", "running", 260_000, 0, 0, 0),
    ("retry", "finished", 312, 309, 3, 5),
    ("replay", "finished", 18_250, 18_250, 0, 30),
    ("retry", "cancelled", 96_000, 41_300, 220, 52),
    ("replay", "cancelled", 75, 0, 0, 100),
];

fn jobs(webhooks: &[Shown], key: &Key, now: DateTime<Utc>, rng: &mut StdRng) -> Vec<Value> {
    let rows = JOBS.iter().enumerate().map(|(number, (kind, status, total, done, skipped, hours))| {
        let at = now - TimeDelta::hours(*hours) - TimeDelta::minutes(3);
        let webhook = &webhooks[17 * number];
        let selection = if *kind == "replay" {
            json!({"webhook_id": webhook.id, "event_types": ["license.created", "license.updated"],
                "since": at - TimeDelta::days(2), "until": at})
        } else {
            json!({"webhook_id": webhook.id, "status": "failed", "response": [500, 599], "until": at})
        };
        json!({
            "id": id_at(at, rng), "kind": kind, "status": status, "webhook_id": webhook.id,
            "selection": selection, "rate": 100, "total": total, "done": done, "skipped": skipped,
            "next_step_at": now, "actor_id": key.id, "actor_name": key.name, "created_at": at,
            "ended_at": (*status != "running").then(|| at + TimeDelta::seconds(i64::from(*done / 100 + 1))),
        })
    });
    rows.collect()
}
