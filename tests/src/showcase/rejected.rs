//! Rejected messages of each kind.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::table::{bytes, id_at, insert};
use crate::World;

const MESSAGES: usize = 60;

/// The reason, the place of the publication, and the body.
const KINDS: [(&str, &str, &str, &[u8]); 7] = [
    (
        "not a JSON object: expected value at line 1 column 1",
        "webhooks.events",
        "production.license.created",
        b"license_id=lic_42;seats=5",
    ),
    (
        "id: is required; timestamp: must be an RFC 3339 time such as 2026-11-23T08:15:30Z",
        "webhooks.events",
        "production.contract.updated",
        br#"{"type":"contract.updated","environment":"production","timestamp":"23.11.2026 08:15","data":{"contract_id":"con_3"}}"#,
    ),
    (
        "type: unknown event type \"licence.created\"; known are license.created, license.updated, license.deleted, license.assigned, license.activated, license.deactivated, license.suspended, license.expired, license.revoked, activation.created, activation.deleted, activation.failed, product.created, product.updated, product.deleted, contract.created, contract.updated, contract.deleted, contract.suspended, telemetry.received, telemetry.flagged",
        "webhooks.events",
        "staging.licence.created",
        br#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"licence.created","environment":"staging","timestamp":"2026-11-23T08:15:30.123Z","data":{"license_id":"lic_42"}}"#,
    ),
    (
        "environment: unknown environment \"prod\"; known are production, staging, development",
        "webhooks.events",
        "prod.telemetry.received",
        br#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5f","type":"telemetry.received","environment":"prod","timestamp":"2026-11-23T08:15:30.123Z","data":{"hours_used":311.5}}"#,
    ),
    (
        "not a JSON object: expected value at line 1 column 1",
        "",
        "webhooks.events",
        b"\x00\xff\xfe\x8a\x01binary\x00",
    ),
    (
        "the message was delivered 100 times and never acknowledged",
        "webhooks.events",
        "production.license.activated",
        br#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d60","type":"license.activated","environment":"production","timestamp":"2026-11-23T08:15:30.123Z","data":{"license_id":"lic_42","seats":5}}"#,
    ),
    (
        "the message was published to the queue of rejected messages without a reason",
        "",
        "webhooks.events.rejected",
        b"{}",
    ),
];

/// The start of too large a message is kept.
const TOO_LARGE: usize = 9;

/// Writes the messages.
pub(super) async fn write(world: &World, now: DateTime<Utc>, rng: &mut StdRng) {
    let rows: Vec<Value> = (0..MESSAGES)
        .map(|number| message(number, now, rng))
        .collect();
    insert(world, "rejected_messages", &rows).await;
}

fn message(number: usize, now: DateTime<Utc>, rng: &mut StdRng) -> Value {
    let at = now - TimeDelta::seconds(rng.random_range(60..1_200_000));
    let (reason, exchange, routing_key, body) = KINDS[number % KINDS.len()];
    let is_too_large = number.is_multiple_of(TOO_LARGE);
    let (reason, body_bytes) = if is_too_large {
        ("event of 3145728 bytes is larger than 262144", 3_145_728)
    } else {
        (reason, body.len())
    };
    json!({
        "id": id_at(at, rng), "reason": reason, "exchange": exchange, "routing_key": routing_key,
        "body": bytes(body), "body_bytes": body_bytes, "body_truncated": is_too_large,
        "rejected_at": at,
    })
}
