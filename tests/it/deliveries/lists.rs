//! Deliveries listed: every filter, alone and with others, in complete pages.

use reqwest::Method;
use serde_json::json;
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{
    Answer, CreatedWebhook, NewWebhook, Platform, Receiver, each_on, event, fields_of,
};

use crate::deliveries::{comes_to, each, total};

/// A delivery in each status, and a latest answer of each kind.
struct Scene {
    platform: Platform,
    /// The webhook whose receiver accepts.
    accepts: CreatedWebhook,
    /// The first event.
    license: EventId,
    /// When the last delivery was created.
    last_at: String,
}

/// Creates a webhook whose receiver gives the same answer to every request.
async fn answered(webhook: NewWebhook<'_>, answer: Answer) -> CreatedWebhook {
    let receiver = Receiver::deciding(move |_, _| answer.clone()).await;
    webhook.at(&receiver.url).create().await
}

impl Scene {
    async fn set() -> Self {
        let platform = Platform::new().await;
        let accepts = answered(platform.webhook("Accepts"), Answer::Status(200)).await;
        let breaks = answered(platform.webhook("Breaks").once(), Answer::Status(503)).await;
        let retries = answered(platform.webhook("Retries").patient(), Answer::Status(500)).await;
        let hurried = json!({"environment": "staging", "timeout_ms": 100});
        let hangs = platform.webhook("Hangs").once().with(&hurried);
        let hangs = answered(hangs, Answer::Hang).await;
        let waits = platform.webhook("Waits").create().await;
        let leaves = platform.webhook("Leaves").create().await;
        platform.open_circuit(&waits).await;
        platform.open_circuit(&leaves).await;

        let license = platform.take_in(EventType::LicenseCreated).await;
        let staging = event(Environment::Staging, EventType::ContractCreated);
        platform.take_in_event(&staging).await;
        comes_to(&platform, &breaks, "failed").await;
        comes_to(&platform, &retries, "retrying").await;
        comes_to(&platform, &hangs, "failed").await;
        platform.delete(&leaves).await;
        comes_to(&platform, &leaves, "cancelled").await;
        for webhook in [&breaks, &retries, &waits] {
            let licenses = json!({"event_types": ["license.*"]});
            platform.change(webhook, &licenses).await;
        }
        platform.take_in(EventType::ProductCreated).await;
        platform.deliveries_become("succeeded", 2).await;
        let last = comes_to(&platform, &accepts, "succeeded").await;
        let last_at = last["created_at"].as_str().expect("a time").to_owned();
        Self {
            platform,
            accepts,
            license,
            last_at,
        }
    }

    /// Asserts the deliveries that a filter finds, by the names of the webhooks, and their total.
    async fn assert_lists(&self, query: &str, expected: &str) {
        let path = format!("/api/v1/deliveries?{query}");
        let page = self.platform.get(&path).await;
        let mut names = each(&page["data"], "webhook_name");
        names.sort_unstable();
        assert_eq!(names.join(" "), expected, "{query}");
        let counted = total(&self.platform, query).await;
        let listed = i64::try_from(names.len()).expect("a page is short");
        assert_eq!(counted, listed, "{query}");
    }
}

/// Filters, each with the webhooks of the deliveries found in the [`Scene`].
const FILTERS: [(&str, &str); 24] = [
    ("", "Accepts Accepts Breaks Hangs Leaves Retries Waits"),
    ("search=ACCEPT", "Accepts Accepts"),
    ("search=leaves", "Leaves"),
    ("search=%25", ""),
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
    ("status=pending&response=none", "Waits"),
    ("status=retrying&response=none", ""),
    ("status=retrying&response=5xx&search=re", "Retries"),
    ("status=failed&environment=production", "Breaks"),
    ("status=failed&event_type=contract.created", "Hangs"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_lists_exactly_the_deliveries_it_names() {
    let scene = Scene::set().await;
    let of_event = format!("event_id={}", scene.license);
    let of_webhook = format!("webhook_id={}", scene.accepts.id);
    let both = format!("{of_event}&status=failed&response=5xx&environment=production");
    let since = format!("since={}", scene.last_at);
    let until = format!("until={}", scene.last_at);

    for (query, expected) in FILTERS {
        scene.assert_lists(query, expected).await;
    }
    for (query, expected) in [
        (of_event.as_str(), "Accepts Breaks Leaves Retries Waits"),
        (&of_webhook, "Accepts Accepts"),
        (&since, "Accepts"),
        (&until, "Accepts Breaks Hangs Leaves Retries Waits"),
        (&both, "Breaks"),
        (&format!("{of_event}&environment=staging"), ""),
    ] {
        scene.assert_lists(query, expected).await;
    }
    scene.platform.end().await;
}

/// 600 deliveries to the webhooks `{webhooks}`, of all statuses, answers, environments and types.
const DELIVERIES: &str = include_str!("lists.sql");

/// The ids in the database of the deliveries under an SQL condition, newest first.
async fn stored(platform: &Platform, condition: &str) -> Vec<String> {
    let sql = format!(
        "SELECT coalesce(array_agg(id::text ORDER BY id DESC), '{{}}') FROM deliveries WHERE {condition}"
    );
    platform.world.database.ask(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_deliveries_leave_nothing_out_and_repeat_nothing() {
    let platform = Platform::new().await;
    let one = platform.webhook("one").create().await.id;
    let two = platform.webhook("two").create().await.id;
    let sql = DELIVERIES.replace("{webhooks}", &format!("'{one}', '{two}'"));
    platform.world.database.execute(&sql).await;
    let retrying = "status = 'pending' AND last_answer > 0";
    let of_one = format!("status = 'failed' AND webhook_id = '{one}'");

    for (query, condition) in [
        ("limit=200", "true"),
        ("limit=7&status=failed", "status = 'failed'"),
        ("limit=50&status=retrying", retrying),
        ("limit=11&response=5xx", "last_answer BETWEEN 500 AND 599"),
        ("limit=9&search=one&status=failed", &of_one),
    ] {
        let pages = platform.pages(&format!("/api/v1/deliveries?{query}")).await;
        let stored = stored(&platform, condition).await;
        assert_eq!(each_on(&pages, "id"), stored, "{query}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_parameter_of_the_list_is_named() {
    let platform = Platform::new().await;
    let wrong = "webhook_id=5&event_id=x&event_type=license&environment=test&status=lost\
                 &response=9&since=today&until=1&cursor=x&limit=201&total=maybe&page=2";

    let path = format!("/api/v1/deliveries?{wrong}");
    let (status, problem) = platform.ask(Method::GET, &path, None).await;

    assert_eq!(status, 422);
    let mut named = fields_of(&problem);
    named.sort_unstable();
    let pairs = wrong.split('&');
    let mut asked: Vec<&str> = pairs.filter_map(|pair| pair.split('=').next()).collect();
    asked.sort_unstable();
    assert_eq!(named, asked, "{problem}");
    platform.end().await;
}
