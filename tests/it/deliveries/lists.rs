//! Deliveries listed: every filter, alone and with others, in pages that leave nothing out.

use reqwest::Method;
use serde_json::json;
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{Answer, Platform, Receiver};

use crate::deliveries::{
    NOBODY, comes_to, create, delete, each, once, patient, pause, publish, send, total,
};

/// What there is to be listed: a delivery in each status, and a latest answer of each kind.
struct Scene {
    platform: Platform,
    /// The webhook that accepts.
    accepts: String,
    /// The first event.
    license: EventId,
    /// When the last delivery was owed.
    last_at: String,
}

impl Scene {
    async fn set() -> Self {
        let platform = Platform::new().await;
        let accepting = Receiver::answering(&[]).await;
        let breaking = Receiver::deciding(|_, _| Answer::Status(503)).await;
        let failing = Receiver::deciding(|_, _| Answer::Status(500)).await;
        let hanging = Receiver::deciding(|_, _| Answer::Hang).await;
        let accepts = create(&platform, "Accepts", &accepting.url, &json!({})).await;
        let breaks = create(&platform, "Breaks", &breaking.url, &once()).await;
        let retries = create(&platform, "Retries", &failing.url, &patient()).await;
        let waits = create(&platform, "Waits", NOBODY, &json!({})).await;
        let leaves = create(&platform, "Leaves", NOBODY, &json!({})).await;
        let mut hurried = once();
        hurried["environment"] = json!("staging");
        hurried["timeout_ms"] = json!(100);
        let hangs = create(&platform, "Hangs", &hanging.url, &hurried).await;
        pause(&platform, &waits).await;
        pause(&platform, &leaves).await;

        let license = publish(&platform, EventType::LicenseCreated).await;
        let (staging, created) = (Environment::Staging, EventType::ContractCreated);
        send(&platform, &webhook_tests::event(staging, created)).await;
        comes_to(&platform, &breaks, "failed").await;
        comes_to(&platform, &retries, "retrying").await;
        comes_to(&platform, &hangs, "failed").await;
        delete(&platform, &leaves).await;
        comes_to(&platform, &leaves, "cancelled").await;
        for id in [&breaks, &retries, &waits] {
            crate::deliveries::patch(&platform, id, &json!({"event_types": ["license.*"]})).await;
        }
        publish(&platform, EventType::ProductCreated).await;
        let accepted = async || (platform.count("succeeded").await == 2).then_some(());
        platform
            .world
            .eventually("both are accepted", accepted)
            .await;
        let last = comes_to(&platform, &accepts, "succeeded").await;
        let last_at = last["created_at"].as_str().expect("a time").to_owned();
        Self {
            platform,
            accepts,
            license,
            last_at,
        }
    }

    /// The names of those whose deliveries a filter lists, in alphabetical order.
    async fn names(&self, query: &str) -> Vec<String> {
        let path = format!("/api/v1/deliveries?{query}");
        let page = self.platform.get(&path).await;
        let names = each(&page["data"], "webhook_name").into_iter();
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_lists_what_it_names_and_all_of_it() {
    let scene = Scene::set().await;
    let (event, webhook) = (
        format!("event_id={}", scene.license),
        format!("webhook_id={}", scene.accepts),
    );
    let (since, until) = (
        format!("since={}", scene.last_at),
        format!("until={}", scene.last_at),
    );
    let both = format!("{event}&status=failed&response=5xx&environment=production");
    let none = format!("{event}&environment=staging");

    for (query, found) in [
        ("", "Accepts Accepts Breaks Hangs Leaves Retries Waits"),
        (&webhook, "Accepts Accepts"),
        ("search=ACCEPT", "Accepts Accepts"),
        ("search=leaves", "Leaves"),
        ("search=%25", ""),
        (&event, "Accepts Breaks Leaves Retries Waits"),
        ("event_type=product.created", "Accepts"),
        ("event_type=contract.created", "Hangs"),
        ("event_type=telemetry.flagged", ""),
        ("environment=staging", "Hangs"),
        ("status=pending", "Retries Waits"),
        ("status=retrying", "Retries"),
        ("status=succeeded", "Accepts Accepts"),
        ("status=failed", "Breaks Hangs"),
        ("status=cancelled", "Leaves"),
        ("response=503", "Breaks"),
        ("response=5xx", "Breaks Retries"),
        ("response=2xx", "Accepts Accepts"),
        ("response=404", ""),
        ("response=timeout", "Hangs"),
        ("response=none", "Leaves Waits"),
        (&since, "Accepts"),
        (&until, "Accepts Breaks Hangs Leaves Retries Waits"),
        ("status=pending&response=none", "Waits"),
        ("status=retrying&response=none", ""),
        ("status=retrying&response=5xx&search=re", "Retries"),
        ("status=failed&environment=production", "Breaks"),
        ("status=failed&event_type=contract.created", "Hangs"),
        (&both, "Breaks"),
        (&none, ""),
    ] {
        let found: Vec<&str> = found.split_whitespace().collect();
        assert_eq!(scene.names(query).await, found, "{query}");
        let counted = total(&scene.platform, query).await;
        assert_eq!(counted, i64::try_from(found.len()).expect("few"), "{query}");
    }
    scene.platform.end().await;
}

/// 600 deliveries to two webhooks, of all statuses, answers, environments and types.
const DELIVERIES: &str = include_str!("lists.sql");

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_deliveries_leave_nothing_out_and_repeat_nothing() {
    let platform = Platform::new().await;
    let one = create(&platform, "one", NOBODY, &json!({})).await;
    let two = create(&platform, "two", NOBODY, &json!({})).await;
    let webhooks = format!("'{one}', '{two}'");
    let sql = DELIVERIES.replace("{webhooks}", &webhooks);
    platform.world.database.execute(&sql).await;
    let of_one = format!("status = 'failed' AND webhook_id = '{one}'");

    for (query, condition, limit) in [
        ("", "true", 200),
        ("status=failed", "status = 'failed'", 7),
        (
            "status=retrying",
            "status = 'pending' AND last_answer > 0",
            50,
        ),
        ("response=5xx", "last_answer BETWEEN 500 AND 599", 11),
        ("search=one&status=failed", &of_one, 9),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/deliveries?limit={limit}&{query}{cursor}");
            let page = platform.get(&path).await;
            seen.extend(each(&page["data"], "id").into_iter().map(str::to_owned));
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        let all: Vec<String> = platform.world.database.ask(&format!(
            "SELECT coalesce(array_agg(id::text ORDER BY id DESC), '{{}}') FROM deliveries WHERE {condition}"
        )).await;
        assert_eq!(seen, all, "{query}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_refused_by_name() {
    let platform = Platform::new().await;
    let wrong = "webhook_id=5&event_id=x&event_type=license&environment=test&status=lost\
                 &response=9&since=today&until=1&cursor=x&limit=201&total=maybe&page=2";

    let (status, problem) = platform
        .ask(Method::GET, &format!("/api/v1/deliveries?{wrong}"), None)
        .await;

    assert_eq!(status, 422);
    let mut named = each(&problem["errors"], "field");
    named.sort_unstable();
    let mut asked: Vec<&str> = wrong
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .collect();
    asked.sort_unstable();
    assert_eq!(named, asked, "{problem}");
    platform.end().await;
}
