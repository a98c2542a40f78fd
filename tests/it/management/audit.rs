//! The audit log: actors, actions and changes, and no secret.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{Platform, each};

/// The audit log under a query.
async fn audit(platform: &Platform, query: &str) -> Value {
    platform.get(&format!("/api/v1/audit?{query}")).await
}

/// The id of a webhook that was created, renamed with a secret header, set Inactive and deleted.
async fn with_history(platform: &Platform) -> String {
    let webhook = platform.webhook("CRM").create().await;
    let renamed = json!({"name": "Renamed", "headers": {"X-Token": "hunter2"}});
    platform.change(&webhook, &renamed).await;
    // The same name again: no change, and no entry.
    platform.change(&webhook, &json!({"name": "Renamed"})).await;
    let deactivate = format!("{}/deactivate", webhook.path);
    platform.ask(Method::POST, &deactivate, None).await;
    platform.delete(&webhook).await;
    webhook.id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_tells_each_change_with_values_before_and_after() {
    let platform = Platform::new().await;
    let id = with_history(&platform).await;

    let log = audit(&platform, &format!("webhook_id={id}")).await;

    let actions = [
        "webhook.deleted",
        "webhook.updated",
        "webhook.updated",
        "webhook.created",
    ];
    assert_eq!(each(&log["data"], "action"), actions);
    let renamed = &log["data"][2];
    let before = json!({"name": "CRM", "header_names": []});
    let after = json!({"name": "Renamed", "header_names": ["x-token"]});
    assert_eq!((&renamed["before"], &renamed["after"]), (&before, &after));
    assert_eq!(log["data"][1]["after"], json!({"status": "inactive"}));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_filtered_by_actor_and_time() {
    let platform = Platform::new().await;
    let before = chrono::Utc::now();
    let id = with_history(&platform).await;
    let log = audit(&platform, &format!("webhook_id={id}")).await;
    let actor = log["data"][0]["actor"]["id"].as_str().expect("a key");
    let moment = before.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);

    let since = audit(&platform, &format!("actor_id={actor}&since={moment}")).await;
    let until = audit(&platform, &format!("actor_id={actor}&until={moment}")).await;

    assert_eq!(since["data"], log["data"]);
    assert_eq!(until["data"], json!([]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_comes_in_pages() {
    let platform = Platform::new().await;
    let id = with_history(&platform).await;

    let page = audit(&platform, &format!("webhook_id={id}&limit=3")).await;
    let cursor = page["next_cursor"].as_str().expect("a next page");
    let rest = audit(&platform, &format!("webhook_id={id}&cursor={cursor}")).await;

    assert_eq!(each(&rest["data"], "action"), ["webhook.created"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_holds_no_secret() {
    let platform = Platform::new().await;
    let id = with_history(&platform).await;

    let log = audit(&platform, &format!("webhook_id={id}")).await;

    assert!(log.to_string().contains("x-token"), "the header is there");
    assert!(!log.to_string().contains("hunter2"), "{log}");
    assert!(!log.to_string().contains("whsec_"), "{log}");
    platform.end().await;
}
