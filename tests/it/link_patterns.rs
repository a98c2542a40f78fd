//! Links for ids in payloads and the portal's own address, set over the API.

use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{FakeSlack, Platform};

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

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_address_is_set_audited_and_taken_away() {
    let platform = Platform::new().await;

    let set = change(
        &platform,
        &json!({"portal_url": "https://Webhooks.example.com/"}),
    )
    .await;
    let kept = change(&platform, &json!({"disable_after": "6d"})).await;
    let reset = change(&platform, &json!({"portal_url": null})).await;
    let wrong = json!({"portal_url": "https://webhooks.example.com/admin"});
    let (status, refused) = platform.patch(SETTINGS, &wrong).await;
    let audit = platform.get("/api/v1/audit?action=settings.changed").await;

    let address = json!("https://webhooks.example.com");
    assert_eq!(
        (&set["portal_url"], &kept["portal_url"]),
        (&address, &address)
    );
    assert_eq!(reset["portal_url"], Value::Null);
    assert_eq!(audit["data"][2]["after"]["portal_url"], address);
    assert_eq!(status, 422, "{refused}");
    assert_eq!(refused["errors"][0]["field"], "portal_url");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_links_to_its_delivery_where_no_id_has_a_page() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    let links = json!({"portal_url": "https://webhooks.example.com",
        "link_patterns": {"contract_id": "https://crm.example.com/{id}"}});
    change(&platform, &links).await;
    let webhook = platform.webhook("Chat").at(&slack.url());
    webhook.with(&json!({"format": "slack"})).create().await;

    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    platform
        .publish(Environment::Production, EventType::ContractCreated)
        .await;
    let messages = slack.arrived(2).await;

    let deliveries = platform.read_deliveries().await;
    let has_link = |link: &str| messages.iter().any(|m| m.to_string().contains(link));
    let page = |id: &Value| {
        format!(
            "https://webhooks.example.com/admin/webhook-deliveries/{}",
            id.as_str().unwrap_or_default()
        )
    };
    let linked = deliveries
        .iter()
        .filter(|delivery| has_link(&page(&delivery["id"])));
    assert_eq!(linked.count(), 1, "{messages:?}");
    assert!(has_link("https://crm.example.com/"), "{messages:?}");
    platform.end().await;
}
