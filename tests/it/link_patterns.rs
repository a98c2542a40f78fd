//! Links for ids in payloads, set over the API.

use serde_json::{Value, json};
use webhook_tests::Platform;

const SETTINGS: &str = "/api/v1/settings";

/// Changes settings and returns all settings.
async fn change(platform: &Platform, fields: &Value) -> Value {
    let (status, settings) = platform.patch(SETTINGS, fields).await;
    assert_eq!(status, 200, "{settings}");
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn links_for_ids_are_set_as_a_whole_and_audited() {
    let platform = Platform::new().await;
    let links = json!({"license_id": "https://licenses.example.com/{id}", "contract_id": "https://crm.example.com/?c={id}"});
    let before = platform.get(SETTINGS).await;

    let set = change(&platform, &json!({"link_patterns": links})).await;
    let kept = change(&platform, &json!({"disable_after": "6d"})).await;
    let audit = platform.get("/api/v1/audit?action=settings.changed").await;
    let reset = change(&platform, &json!({"link_patterns": null})).await;

    assert_eq!(before["link_patterns"], json!({}));
    assert_eq!(set["link_patterns"], links);
    assert_eq!(kept["link_patterns"], links);
    assert_eq!(audit["data"][1]["after"]["link_patterns"], links);
    assert_eq!(reset["link_patterns"], json!({}));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_not_https_is_refused_by_its_field() {
    let platform = Platform::new().await;
    let wrong = json!({"link_patterns": {"a b": "https://a.example/{id}", "id": "javascript:alert({id})", "ok": "https://a.example/{id}"}});

    let (status, refused) = platform.patch(SETTINGS, &wrong).await;
    let (no_object, _) = platform
        .patch(
            SETTINGS,
            &json!({"link_patterns": ["https://a.example/{id}"]}),
        )
        .await;

    let fields = refused["errors"].as_array().into_iter().flatten();
    let fields: Vec<&Value> = fields.map(|error| &error["field"]).collect();
    assert_eq!([status, no_object], [422, 422], "{refused}");
    assert_eq!(fields, ["link_patterns.a b", "link_patterns.id"]);
    assert_eq!(platform.get(SETTINGS).await["link_patterns"], json!({}));
    platform.end().await;
}
