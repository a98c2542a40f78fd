//! Webhooks listed: every filter, every order, stable pages.

use serde_json::json;
use webhook_tests::{CreatedWebhook, Platform, each};

/// Creates a webhook whose URL ends with the name in lower case.
async fn create(platform: &Platform, name: &str) -> CreatedWebhook {
    let url = format!("http://127.0.0.1:9/{}", name.to_lowercase());
    platform.webhook(name).at(&url).create().await
}

/// The names of the webhooks that a query lists.
async fn names(platform: &Platform, query: &str) -> Vec<String> {
    let page = platform.get(&format!("/api/v1/webhooks?{query}")).await;
    let names = each(&page["data"], "name").into_iter();
    names.map(str::to_owned).collect()
}

/// Creates `Billing_1`, then `crm`, Inactive in staging, then `BILLING-2`, which is failing.
async fn create_three(platform: &Platform) {
    let licenses = create(platform, "Billing_1").await;
    let selection = json!({"event_types": ["license.*"]});
    platform.change(&licenses, &selection).await;
    let inactive = create(platform, "crm").await;
    let elsewhere = json!({"environment": "staging", "event_types": ["contract.created"],
        "status": "inactive"});
    platform.change(&inactive, &elsewhere).await;
    let failing = create(platform, "BILLING-2").await;
    let sql = format!(
        "INSERT INTO webhook_health (webhook_id, failing_since, failures) VALUES ('{}', now(), 3)",
        failing.id
    );
    platform.world.database.execute(&sql).await;
}

/// Queries, each with the listed names of [`create_three`], separated by spaces.
const QUERIES: [(&str, &str); 15] = [
    ("", "BILLING-2 crm Billing_1"),
    ("search=billing", "BILLING-2 Billing_1"),
    ("search=9/CRM", "crm"),
    ("search=g_1", "Billing_1"),
    ("search=%25", ""),
    ("search=%00", ""),
    ("environment=staging", "crm"),
    ("status=inactive", "crm"),
    ("event_type=license.created", "BILLING-2 Billing_1"),
    ("event_type=contract.created&environment=staging", "crm"),
    ("failing=true", "BILLING-2"),
    ("failing=false", "crm Billing_1"),
    ("sort=name", "BILLING-2 Billing_1 crm"),
    ("sort=-name", "crm Billing_1 BILLING-2"),
    ("sort=created_at", "Billing_1 crm BILLING-2"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_and_order_lists_exactly_the_webhooks_it_names() {
    let platform = Platform::new().await;
    create_three(&platform).await;

    for (query, listed) in QUERIES {
        assert_eq!(names(&platform, query).await.join(" "), listed, "{query}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_counts_the_webhooks_on_all_pages_on_request() {
    let platform = Platform::new().await;
    create_three(&platform).await;

    let counted = "/api/v1/webhooks?search=billing&limit=1&total=true";
    let counted = platform.get(counted).await;

    assert_eq!(counted["total"], 2);
    assert_eq!(each(&counted["data"], "name"), ["BILLING-2"]);
    platform.end().await;
}

/// Writes a webhook's latest delivery, `hours` ago.
async fn write_delivery(platform: &Platform, webhook: &CreatedWebhook, hours: u32) {
    let sql = format!(
        "INSERT INTO webhook_activity VALUES ('{}', gen_random_uuid(), 'failed',
         now() - interval '{hours} h', 500, 'status')",
        webhook.id
    );
    platform.world.database.execute(&sql).await;
}

/// A platform with the webhooks `never`, `old` and `new`, named after the latest delivery.
async fn with_latest_deliveries() -> Platform {
    let platform = Platform::new().await;
    create(&platform, "never").await;
    let old = create(&platform, "old").await;
    let new = create(&platform, "new").await;
    write_delivery(&platform, &old, 9).await;
    write_delivery(&platform, &new, 8).await;
    platform
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_sorted_by_their_latest_delivery() {
    let platform = with_latest_deliveries().await;

    let newest_first = names(&platform, "sort=-last_delivery").await;
    let oldest_first = names(&platform, "sort=last_delivery").await;

    assert_eq!(newest_first, ["new", "old", "never"]);
    assert_eq!(oldest_first, ["never", "old", "new"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_holds_from_page_to_page() {
    let platform = with_latest_deliveries().await;

    for sort in [
        "last_delivery",
        "-last_delivery",
        "name",
        "-name",
        "created_at",
        "-created_at",
    ] {
        let whole = names(&platform, &format!("sort={sort}")).await;
        assert_eq!(walk(&platform, sort, async |_| {}).await, whole, "{sort}");
    }
    platform.end().await;
}

/// Reads all pages of a single webhook each, and calls `meanwhile` after each page with the page's
/// number.
async fn walk(
    platform: &Platform,
    sort: &str,
    mut meanwhile: impl AsyncFnMut(usize),
) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = platform
            .get(&format!("/api/v1/webhooks?limit=1&sort={sort}{cursor}"))
            .await;
        seen.extend(each(&page["data"], "name").into_iter().map(str::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
        meanwhile(seen.len()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_stay_as_they_are_while_webhooks_come_and_go() {
    let platform = Platform::new().await;
    let first = create(&platform, "b").await;
    for name in ["d", "f", "h"] {
        create(&platform, name).await;
    }

    let by_name = walk(&platform, "name", async |page| {
        if page == 1 {
            // Before the page, after the page, and on the page.
            create(&platform, "a").await;
            create(&platform, "e").await;
            platform.delete(&first).await;
        }
    });
    assert_eq!(by_name.await, ["b", "d", "e", "f", "h"]);
    let by_creation = walk(&platform, "-created_at", async |page| {
        if page == 2 {
            create(&platform, "i").await;
        }
    });
    assert_eq!(by_creation.await, ["e", "a", "h", "f", "d"]);
    platform.end().await;
}
