//! Webhooks exported and imported: staging copied to production.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{Platform, Service};

use crate::management::{each, fields};

async fn import(platform: &Platform, query: &str, document: &Value) -> (u16, Value) {
    let path = format!("/api/v1/webhooks/import?{query}");
    let (status, answer) = platform.post(&path, document).await;
    (status.as_u16(), answer)
}

async fn create(platform: &Platform, name: &str, environment: &str) -> Value {
    let webhook = json!({"name": name, "url": "http://127.0.0.1:9/", "environment": environment,
        "event_types": ["license.*"], "headers": {"X-Token": environment}, "timeout_ms": 500,
        "ordering": "by_key", "retry_policy": {"max_attempts": 3}, "metadata": {"a": "b"}});
    platform.post("/api/v1/webhooks", &webhook).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn staging_is_copied_to_production_and_a_dry_run_shows_how() {
    let platform = Platform::new().await;
    for name in ["CRM", "ERP"] {
        create(&platform, name, "staging").await;
    }
    let there = create(&platform, "CRM", "production").await;
    platform
        .patch(&webhook_tests::path_of(&there), &json!({"timeout_ms": 900}))
        .await;
    create(&platform, "Other", "production").await;

    let document = platform
        .get("/api/v1/webhooks/export?environment=staging")
        .await;
    let target = "environment=production";
    let (_, shown) = import(&platform, &format!("{target}&dry_run=true"), &document).await;
    let unchanged = platform
        .get("/api/v1/webhooks?environment=production")
        .await;
    let (_, done) = import(&platform, target, &document).await;
    let (_, again) = import(&platform, target, &document).await;
    let copied = platform
        .get("/api/v1/webhooks/export?environment=production&secrets=true")
        .await;

    assert!(
        !document.to_string().contains("whsec_")
            && !document.to_string().contains("\"staging\",\"x-token\"")
    );
    assert_eq!(document["webhooks"][0]["headers"], json!({"x-token": null}));
    assert_eq!(each(&shown["webhooks"], "action"), ["update", "create"]);
    assert_eq!(
        shown["webhooks"][0]["changes"],
        json!({"timeout_ms": {"from": 900, "to": 500}})
    );
    assert_eq!(shown["webhooks"][1]["missing_headers"], json!(["x-token"]));
    assert_eq!(each(&unchanged["data"], "name"), ["Other", "CRM"]);
    assert_eq!((&done["created"], &done["updated"]), (&json!(1), &json!(1)));
    assert_eq!(done["webhooks"][0]["id"], there["id"]);
    assert_eq!(again["unchanged"], 2);
    assert_eq!(each(&copied["webhooks"], "name"), ["CRM", "Other", "ERP"]);
    assert_eq!(
        copied["webhooks"][0]["headers"],
        json!({"x-token": "production"})
    );
    assert_eq!(copied["webhooks"][0]["secret"], there["secret"]);
    assert_eq!(copied["webhooks"][2]["retry_policy"]["max_attempts"], 3);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_exported_for_owners_only_and_come_along_in_an_import() {
    let mut platform = Platform::new().await;
    let created = create(&platform, "CRM", "staging").await;

    let export = "/api/v1/webhooks/export?environment=staging&secrets=true";
    let document = platform.get(export).await;
    import(&platform, "environment=development", &document).await;
    let copied = platform
        .get("/api/v1/webhooks/export?environment=development&secrets=true")
        .await;
    let (_, again) = import(&platform, "environment=staging", &document).await;
    let written = platform
        .get("/api/v1/audit?action=webhooks.secrets_exported")
        .await;
    platform.key = Service::new_key(&platform.world, "admin").await;
    let (refused, _) = platform.ask(Method::GET, export, None).await;

    assert_eq!(document["webhooks"][0]["secret"], created["secret"]);
    assert_eq!(copied["webhooks"][0]["secret"], created["secret"]);
    assert_eq!(
        copied["webhooks"][0]["headers"],
        json!({"x-token": "staging"})
    );
    assert_eq!(each(&written["data"], "subject"), ["CRM", "CRM"]);
    assert_eq!(again["unchanged"], 1, "{again}");
    assert_eq!(refused, 403);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_a_mistake_changes_nothing_and_names_it() {
    let platform = Platform::new().await;
    let good = json!({"name": "CRM", "url": "http://127.0.0.1:9/", "event_types": ["*"]});
    let wrong = json!({"name": "ERP", "url": "http://10.0.0.1/", "event_types": ["x"], "more": 1});

    let target = "environment=production";
    let (status, problem) = import(&platform, target, &json!({"webhooks": [good, wrong]})).await;
    let (twice, ambiguous) = import(&platform, target, &json!({"webhooks": [good, good]})).await;
    let (no_target, _) = import(&platform, "", &json!({"webhooks": [good]})).await;

    assert_eq!((status, twice, no_target), (422, 409, 422));
    assert_eq!(
        fields(&problem),
        [
            "webhooks[1].url",
            "webhooks[1].event_types[0]",
            "webhooks[1].more"
        ]
    );
    assert_eq!(fields(&ambiguous), ["webhooks[1].name"]);
    assert_eq!(platform.get("/api/v1/webhooks").await["data"], json!([]));
    platform.end().await;
}
