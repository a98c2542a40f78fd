//! 200 webhooks of customers' systems.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use webhook_domain::{Environment, EventPattern, EventType, WebhookId};

use super::answers::{Answer, FAILED};
use super::table::insert;
use crate::{Platform, World};

const CUSTOMERS: [&str; 25] = [
    "Aldermoor Logistics",
    "Brightwater Studios",
    "Castellan Insurance",
    "Dunmore & Pike",
    "Eastgate Robotics",
    "Fjordheim Energi",
    "Granville Medical",
    "Hollowbrook Press",
    "Ironbridge Foundry",
    "Juniper Lane Foods",
    "Kestrel Aerospace",
    "Larkspur Analytics",
    "Monteverde Viajes",
    "Northmere Water",
    "Oakhaven Schools",
    "Pelican Maritime",
    "Quillfeather Games",
    "Ravensworth Legal",
    "Société Générique de Façades",
    "Thistledown Textiles",
    "Umbra Lighting",
    "Violetta Opera",
    "Westerhaven Bank",
    "Yarrow Biotech",
    "Zürcher Messgeräte",
];

const SYSTEMS: [(&str, &[&str]); 8] = [
    (
        "CRM",
        &["contract.created", "contract.updated", "license.created"],
    ),
    ("Billing", &["contract.*", "license.expired"]),
    ("License portal", &["license.*"]),
    ("Data warehouse", &["*"]),
    ("Support desk", &["activation.failed", "license.suspended"]),
    ("Telemetry", &["telemetry.*"]),
    (
        "Compliance archive",
        &["license.revoked", "contract.suspended", "telemetry.flagged"],
    ),
    ("Catalogue", &["product.*"]),
];

/// Names and paths that break careless pages.
const UNUSUAL: [(&str, &str); 4] = [
    (
        "Production mirror of the consolidated European licence ledger, second site, owned by Team Nightjar",
        "/in/0f5d1d1a7f0e4d7aa4c1b0cf6a9e0b7e/licence-events/consolidated/eu-central/second-site/v2?tenant=8d1f5c2e-53a1-4b5e-9f7a-0d3f1b2a4c6e&region=eu-central-1&fallback=https%3A%2F%2Fbackup.example.com%2Fhooks&signature-version=2026-01-01",
    ),
    (
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftslizenzverwaltungx1",
        "/averyveryverylongpathsegmentwithoutanyplacewherealinecouldbebrokenbecausenobodythoughtofthat",
    ),
    (
        "<b>Bold</b> & \"quoted\" 'name' {{ braces }}",
        "/a'b/%3Cb%3E",
    ),
    ("Αρχείο ελέγχου · سجل التدقيق 🧾", "/hooks"),
];

/// How a webhook responds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// Accepts nearly every delivery.
    Healthy,
    /// Fails now and then.
    Flaky,
    /// Has failed for some days, always with the same answer.
    Failing(&'static Answer),
    /// Answered 410 and was set Inactive by the platform.
    Gone,
    /// Was set Inactive by an admin.
    Inactive,
}

/// A webhook of the showcase.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) environment: Environment,
    pub(super) types: HashSet<EventType>,
    pub(super) fate: Fate,
}

/// Creates webhooks through the API, as an admin would. The first ones come last, as lists begin with
/// the newest.
pub(super) async fn make(platform: &Platform) -> Vec<Shown> {
    let documents: Vec<Value> = (0..CUSTOMERS.len() * SYSTEMS.len()).map(document).collect();
    let mut shown = Vec::new();
    for environment in Environment::ALL.iter().rev() {
        let indices = (0..documents.len())
            .rev()
            .filter(|index| environment_of(*index) == *environment);
        let indices: Vec<usize> = indices.collect();
        let wanted: Vec<&Value> = indices.iter().map(|index| &documents[*index]).collect();
        let path = format!("/api/v1/webhooks/import?environment={environment}");
        let body = json!({"webhooks": wanted}).to_string();
        let (status, answer) = platform.ask(Method::POST, &path, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        let made = answer["webhooks"].as_array().expect("a list");
        for (index, made) in indices.iter().zip(made) {
            shown.push(of(*index, &documents[*index], made, *environment));
        }
    }
    shown
}

fn of(index: usize, document: &Value, made: &Value, environment: Environment) -> Shown {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let patterns = document["event_types"].as_array().expect("a list");
    let patterns = patterns
        .iter()
        .map(|pattern| text(pattern).parse().expect("a pattern"));
    Shown {
        id: text(&made["id"]).parse().expect("an id"),
        name: text(&document["name"]),
        url: text(&document["url"]),
        environment,
        types: patterns.flat_map(EventPattern::types).collect(),
        fate: fate_of(index),
    }
}

fn environment_of(index: usize) -> Environment {
    match index % 10 {
        0..=5 => Environment::Production,
        6..=8 => Environment::Staging,
        _ => Environment::Development,
    }
}

fn fate_of(index: usize) -> Fate {
    match index % 40 {
        3 | 16 | 29 => Fate::Failing(&FAILED[index / 13 % FAILED.len()]),
        7 | 21 | 34 => Fate::Flaky,
        12 => Fate::Gone,
        5 | 27 => Fate::Inactive,
        _ => Fate::Healthy,
    }
}

fn document(index: usize) -> Value {
    let (customer, (system, patterns)) = (CUSTOMERS[index / 8], SYSTEMS[index % 8]);
    let letters = customer.chars().filter(char::is_ascii_alphanumeric);
    let host: String = letters.collect::<String>().to_lowercase();
    let path = system.to_lowercase().replace(' ', "-");
    let (name, path) = match UNUSUAL.get(index / 3).filter(|_| index.is_multiple_of(3)) {
        Some((name, path)) => ((*name).to_owned(), (*path).to_owned()),
        None => (
            format!("{customer}: {system}"),
            format!("/hooks/{path}/events"),
        ),
    };
    let mut document = json!({
        "name": name, "url": format!("https://hooks.{host}.example{path}"),
        "event_types": patterns,
        "description": format!("Tells the {system} of {customer} what happened. Ask its owner before you change the URL."),
    });
    let fields = document.as_object_mut().expect("the document is an object");
    if matches!(fate_of(index), Fate::Inactive) {
        fields.insert("status".into(), json!("inactive"));
    }
    if index.is_multiple_of(6) {
        let headers = json!({"authorization": "Bearer 8f0c2d", "x-tenant": customer.len().to_string(), "x-route": "eu"});
        fields.insert("headers".into(), headers);
        fields.insert(
            "metadata".into(),
            json!({"owner": "team-nightjar", "cost centre": "4711", "ticket": "OPS-2291"}),
        );
    }
    if index.is_multiple_of(9) {
        let policy = json!({"max_attempts": 8, "initial_interval_ms": 5_000, "multiplier": 3.0});
        fields.insert("retry_policy".into(), policy);
        fields.insert("timeout_ms".into(), json!(5_000));
        fields.insert("max_concurrency".into(), json!(8));
        fields.insert("rate_limit".into(), json!(50));
    }
    if index.is_multiple_of(15) {
        fields.insert("ordering".into(), json!("by_key"));
        fields.insert("ordering_key".into(), json!("license_id"));
    }
    document
}

/// Moves the creation of webhooks into the past, and sets the failures of some.
pub(super) async fn close(world: &World, webhooks: &[Shown], now: DateTime<Utc>) {
    let long_ago = include_str!("webhooks.sql");
    world.database.execute(long_ago).await;
    let mut health = Vec::new();
    let mut connection = world.database.connection().await;
    for (index, webhook) in webhooks.iter().enumerate() {
        match webhook.fate {
            Fate::Failing(_) => health.push(failing(index, webhook, now)),
            Fate::Gone => {
                let reason = "the receiver answered 410 Gone";
                let id = WebhookId(webhook.id);
                let disabled = webhook_store::webhooks::disable(&mut connection, id, reason).await;
                assert!(disabled.expect("the webhook is saved"));
            }
            Fate::Healthy | Fate::Flaky | Fate::Inactive => {}
        }
    }
    insert(world, "webhook_health", &health).await;
}

fn failing(index: usize, webhook: &Shown, now: DateTime<Utc>) -> Value {
    let paused = index.is_multiple_of(2);
    json!({
        "webhook_id": webhook.id,
        "failing_since": now - TimeDelta::hours(70),
        "failures": 40 + index,
        "warned_at": now - TimeDelta::hours(10),
        "paused_at": paused.then(|| now - TimeDelta::seconds(90)),
        "paused_until": paused.then(|| now + TimeDelta::seconds(210)),
        "pauses": if paused { 7 } else { 0 },
    })
}
