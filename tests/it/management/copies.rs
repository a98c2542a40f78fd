//! Webhooks exported and imported: staging copied to production.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{CreatedWebhook, NOBODY, Platform, Service, assert_fields, each, fields_of};

const EXPORT: &str = "/api/v1/webhooks/export";

async fn import(platform: &Platform, query: &str, document: &Value) -> (u16, Value) {
    let path = format!("/api/v1/webhooks/import?{query}");
    let (status, answer) = platform.post(&path, document).await;
    (status.as_u16(), answer)
}

/// The document of an environment, with secrets.
async fn export_with_secrets(platform: &Platform, environment: &str) -> Value {
    let query = format!("environment={environment}&secrets=true");
    platform.get(&format!("{EXPORT}?{query}")).await
}

/// Creates a webhook with every kind of setting, and with a header of the environment's name.
async fn create(platform: &Platform, name: &str, environment: &str) -> CreatedWebhook {
    let settings = json!({"event_types": ["license.*"], "headers": {"X-Token": environment},
        "timeout_ms": 500, "ordering": "by_key", "retry_policy": {"max_attempts": 3},
        "metadata": {"a": "b"}});
    let webhook = platform.webhook(name).environment(environment);
    webhook.with(&settings).create().await
}

/// A platform with CRM and ERP in staging, and CRM, with another timeout, and Other in production;
/// production's CRM; and the document of staging.
async fn staging_and_production() -> (Platform, CreatedWebhook, Value) {
    let platform = Platform::new().await;
    create(&platform, "CRM", "staging").await;
    create(&platform, "ERP", "staging").await;
    let crm = create(&platform, "CRM", "production").await;
    platform.change(&crm, &json!({"timeout_ms": 900})).await;
    create(&platform, "Other", "production").await;
    let document = platform.get(&format!("{EXPORT}?environment=staging")).await;
    (platform, crm, document)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_holds_no_secret_and_no_value_of_a_header() {
    let (platform, _, document) = staging_and_production().await;

    assert!(!document.to_string().contains("whsec_"), "{document}");
    assert_eq!(document["webhooks"][0]["headers"], json!({"x-token": null}));
    assert_eq!(document["webhooks"][1]["headers"], json!({"x-token": null}));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_changes_of_an_import_and_makes_none() {
    let (platform, _, document) = staging_and_production().await;

    let dry_run = "environment=production&dry_run=true";
    let (_, shown) = import(&platform, dry_run, &document).await;

    assert_eq!(each(&shown["webhooks"], "action"), ["update", "create"]);
    assert_eq!(
        shown["webhooks"][0]["changes"],
        json!({"timeout_ms": {"from": 900, "to": 500}})
    );
    assert_eq!(shown["webhooks"][1]["missing_headers"], json!(["x-token"]));
    let production = "/api/v1/webhooks?environment=production";
    let production = platform.get(production).await;
    assert_eq!(each(&production["data"], "name"), ["Other", "CRM"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_updates_webhooks_of_the_same_name_and_creates_the_others() {
    let (platform, crm, document) = staging_and_production().await;

    let (_, done) = import(&platform, "environment=production", &document).await;
    let (_, again) = import(&platform, "environment=production", &document).await;
    let copied = export_with_secrets(&platform, "production").await;

    assert_fields(&done, &json!({"created": 1, "updated": 1}));
    assert_eq!(done["webhooks"][0]["id"], crm.id.as_str());
    assert_eq!(again["unchanged"], 2);
    assert_eq!(each(&copied["webhooks"], "name"), ["CRM", "Other", "ERP"]);
    let kept = json!({"headers": {"x-token": "production"}, "secret": crm.secret});
    assert_fields(&copied["webhooks"][0], &kept);
    assert_eq!(copied["webhooks"][2]["retry_policy"]["max_attempts"], 3);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_secrets_copies_secrets_and_headers() {
    let platform = Platform::new().await;
    let created = create(&platform, "CRM", "staging").await;

    let document = export_with_secrets(&platform, "staging").await;
    import(&platform, "environment=development", &document).await;
    let copied = export_with_secrets(&platform, "development").await;
    let (_, again) = import(&platform, "environment=staging", &document).await;

    assert_eq!(document["webhooks"][0]["secret"], created.secret.as_str());
    let same = json!({"headers": {"x-token": "staging"}, "secret": created.secret});
    assert_fields(&copied["webhooks"][0], &same);
    assert_eq!(again["unchanged"], 1, "{again}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_secrets_is_audited_and_for_owners_only() {
    let mut platform = Platform::new().await;
    create(&platform, "CRM", "staging").await;

    export_with_secrets(&platform, "staging").await;
    let audit = "/api/v1/audit?action=webhooks.secrets_exported";
    let audit = platform.get(audit).await;
    platform.key = Service::new_key(&platform.world, "admin").await;
    let export = format!("{EXPORT}?environment=staging&secrets=true");
    let (refused, _) = platform.ask(Method::GET, &export, None).await;

    assert_eq!(each(&audit["data"], "subject"), ["CRM"]);
    assert_eq!(refused, 403);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_a_mistake_changes_nothing_and_each_mistake_is_named() {
    let platform = Platform::new().await;
    let good = json!({"name": "CRM", "url": NOBODY, "event_types": ["*"]});
    let wrong = json!({"name": "ERP", "url": "http://10.0.0.1/", "event_types": ["x"], "more": 1});

    let target = "environment=production";
    let (status, problem) = import(&platform, target, &json!({"webhooks": [good, wrong]})).await;
    let (twice, ambiguous) = import(&platform, target, &json!({"webhooks": [good, good]})).await;
    let (no_target, _) = import(&platform, "", &json!({"webhooks": [good]})).await;

    assert_eq!((status, twice, no_target), (422, 409, 422));
    assert_eq!(
        fields_of(&problem),
        [
            "webhooks[1].url",
            "webhooks[1].event_types[0]",
            "webhooks[1].more"
        ]
    );
    assert_eq!(fields_of(&ambiguous), ["webhooks[1].name"]);
    assert_eq!(platform.get("/api/v1/webhooks").await["data"], json!([]));
    platform.end().await;
}
