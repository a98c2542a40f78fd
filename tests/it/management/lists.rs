//! Webhooks listed: every filter, every order, pages that stay as they are.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{Platform, path_of};

use crate::management::each;

async fn create(platform: &Platform, name: &str, environment: &str, types: &[&str]) -> Value {
    let url = format!("http://127.0.0.1:9/{}", name.to_lowercase());
    let webhook =
        json!({"name": name, "url": url, "environment": environment, "event_types": types});
    let (status, created) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(status, 201, "{created}");
    created
}

async fn names(platform: &Platform, query: &str) -> Vec<String> {
    let page = platform.get(&format!("/api/v1/webhooks?{query}")).await;
    each(&page["data"], "name")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_lists_what_it_names() {
    let platform = Platform::new().await;
    create(&platform, "Billing_1", "production", &["license.*"]).await;
    let inactive = create(&platform, "crm", "staging", &["contract.created"]).await;
    let failing = create(&platform, "BILLING-2", "production", &["*"]).await;
    platform
        .patch(&path_of(&inactive), &json!({"status": "inactive"}))
        .await;
    let id = failing["id"].as_str().expect("an id");
    platform.world.database.execute(&format!(
        "INSERT INTO webhook_health (webhook_id, failing_since, failures) VALUES ('{id}', now(), 3)"
    )).await;

    for (query, found) in [
        ("", vec!["BILLING-2", "crm", "Billing_1"]),
        ("search=billing", vec!["BILLING-2", "Billing_1"]),
        ("search=9/CRM", vec!["crm"]),
        ("search=g_1", vec!["Billing_1"]),
        ("search=%25", vec![]),
        ("search=%00", vec![]),
        ("environment=staging", vec!["crm"]),
        ("status=inactive", vec!["crm"]),
        ("event_type=license.created", vec!["BILLING-2", "Billing_1"]),
        (
            "event_type=contract.created&environment=staging",
            vec!["crm"],
        ),
        ("failing=true", vec!["BILLING-2"]),
        ("failing=false", vec!["crm", "Billing_1"]),
        ("sort=name", vec!["BILLING-2", "Billing_1", "crm"]),
        ("sort=-name", vec!["crm", "Billing_1", "BILLING-2"]),
        ("sort=created_at", vec!["Billing_1", "crm", "BILLING-2"]),
    ] {
        assert_eq!(names(&platform, query).await, found, "{query}");
    }
    let counted = platform
        .get("/api/v1/webhooks?search=billing&limit=1&total=true")
        .await;
    assert_eq!(
        (&counted["total"], each(&counted["data"], "name")),
        (&json!(2), vec!["BILLING-2"])
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_sorted_by_their_latest_delivery() {
    let platform = Platform::new().await;
    for (number, name) in ["never", "old", "new"].into_iter().enumerate() {
        let created = create(&platform, name, "production", &["*"]).await;
        let id = created["id"].as_str().expect("an id");
        if number > 0 {
            platform
                .world
                .database
                .execute(&format!(
                    "INSERT INTO webhook_activity VALUES ('{id}', gen_random_uuid(), 'failed',
                    now() - interval '{} h', 500, 'status')",
                    10 - number
                ))
                .await;
        }
    }

    assert_eq!(
        names(&platform, "sort=-last_delivery").await,
        ["new", "old", "never"]
    );
    assert_eq!(
        names(&platform, "sort=last_delivery").await,
        ["never", "old", "new"]
    );
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

/// Reads all pages of one webhook each; something happens after each page.
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
    let mut first = Vec::new();
    for name in ["b", "d", "f", "h"] {
        first.push(create(&platform, name, "production", &["*"]).await);
    }

    // After the first page one comes before it and one after it, and the one just seen goes.
    let by_name = walk(&platform, "name", async |page| {
        if page == 1 {
            create(&platform, "a", "production", &["*"]).await;
            create(&platform, "e", "production", &["*"]).await;
            platform
                .ask(Method::DELETE, &path_of(&first[0]), None)
                .await;
        }
    })
    .await;
    let by_creation = walk(&platform, "-created_at", async |page| {
        if page == 2 {
            create(&platform, "i", "production", &["*"]).await;
        }
    })
    .await;

    assert_eq!(by_name, ["b", "d", "e", "f", "h"]);
    assert_eq!(by_creation, ["e", "a", "h", "f", "d"]);
    platform.end().await;
}
