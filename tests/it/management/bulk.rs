//! One change of many webhooks.

use serde_json::{Value, json};
use webhook_tests::{Platform, path_of};

use crate::management::each;

async fn bulk(platform: &Platform, action: &str, ids: &[&Value], types: Option<&[&str]>) -> Value {
    let mut job = json!({"action": action, "ids": ids});
    if let Some(types) = types {
        job["event_types"] = json!(types);
    }
    let (status, results) = platform.post("/api/v1/webhooks/bulk", &job).await;
    assert_eq!(status, 200, "{results}");
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_with_one_does_not_hold_up_the_others() {
    let platform = Platform::new().await;
    let url = "http://127.0.0.1:9/";
    let all = platform
        .create_webhook(url, "staging", "active", &["telemetry.*"])
        .await;
    let one = platform
        .create_webhook(url, "staging", "inactive", &["telemetry.flagged"])
        .await;
    let unknown = json!("0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e");
    let ids = [&all["id"], &one["id"], &unknown];

    let activated = bulk(&platform, "activate", &ids, None).await;
    let removed = bulk(
        &platform,
        "remove_event_types",
        &ids,
        Some(&["telemetry.flagged"]),
    )
    .await;
    let added = bulk(&platform, "add_event_types", &ids, Some(&["license.*"])).await;
    let types = platform.get(&path_of(&all)).await["event_types"].clone();
    let deactivated = bulk(&platform, "deactivate", &ids, None).await;
    let deleted = bulk(&platform, "delete", &ids, None).await;
    let again = bulk(&platform, "delete", &ids, None).await;

    let results = |answer: &Value| each(&answer["results"], "result").join(" ");
    assert_eq!(results(&activated), "unchanged changed not_found");
    assert_eq!(results(&removed), "changed refused not_found");
    assert_eq!(removed["results"][1]["errors"][0]["field"], "event_types");
    assert_eq!(results(&added), "changed changed not_found");
    assert_eq!(types, json!(["telemetry.received", "license.*"]));
    assert_eq!(results(&deactivated), "changed changed not_found");
    assert_eq!(results(&deleted), "changed changed not_found");
    assert_eq!(results(&again), "not_found not_found not_found");
    platform.end().await;
}
