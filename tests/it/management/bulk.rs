//! A change of many webhooks with one request.

use serde_json::{Value, json};
use webhook_tests::{CreatedWebhook, Platform, UNKNOWN_ID, each};

/// A platform with an Active webhook of `telemetry.*`, an Inactive webhook of `telemetry.flagged`,
/// and the ids of both and of no webhook.
struct Selected {
    platform: Platform,
    group: CreatedWebhook,
    ids: [String; 3],
}

impl Selected {
    async fn new() -> Self {
        let platform = Platform::new().await;
        let group = platform.webhook("Group").types(&["telemetry.*"]);
        let group = group.create().await;
        let single = platform.webhook("Single").types(&["telemetry.flagged"]);
        let single = single.inactive().create().await;
        let ids = [group.id.clone(), single.id, UNKNOWN_ID.to_owned()];
        Self {
            platform,
            group,
            ids,
        }
    }

    /// Changes the selected webhooks, and returns the response.
    async fn change(&self, mut change: Value) -> Value {
        change["ids"] = json!(self.ids);
        let (status, answer) = self.platform.post("/api/v1/webhooks/bulk", &change).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

/// The result for each selected webhook.
fn results(answer: &Value) -> String {
    each(&answer["results"], "result").join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_webhook_of_a_bulk_change_has_its_own_result() {
    let selected = Selected::new().await;

    let activated = selected.change(json!({"action": "activate"})).await;
    let deactivated = selected.change(json!({"action": "deactivate"})).await;
    let deleted = selected.change(json!({"action": "delete"})).await;
    let again = selected.change(json!({"action": "delete"})).await;

    assert_eq!(results(&activated), "unchanged changed not_found");
    assert_eq!(results(&deactivated), "changed changed not_found");
    assert_eq!(results(&deleted), "changed changed not_found");
    assert_eq!(results(&again), "not_found not_found not_found");
    selected.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_refuses_a_bulk_change_holds_up_no_other() {
    let selected = Selected::new().await;
    let remove = json!({"action": "remove_event_types", "event_types": ["telemetry.flagged"]});
    let add = json!({"action": "add_event_types", "event_types": ["license.*"]});

    let removed = selected.change(remove).await;
    let added = selected.change(add).await;

    assert_eq!(results(&removed), "changed refused not_found");
    assert_eq!(removed["results"][1]["errors"][0]["field"], "event_types");
    assert_eq!(results(&added), "changed changed not_found");
    let group = selected.platform.get(&selected.group.path).await;
    let types = json!(["telemetry.received", "license.*"]);
    assert_eq!(group["event_types"], types);
    selected.platform.end().await;
}
