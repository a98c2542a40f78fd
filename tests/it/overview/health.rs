//! One word for the health of a webhook, in lists, filters and counts.

use serde_json::json;
use webhook_domain::WebhookHealth;
use webhook_tests::{Answer, Platform, Receiver, each, each_on};

use super::{becomes, create, publish, switch};

/// A webhook of each health, and one that is failing while held.
const HEALTHS: &str = include_str!("health.sql");

#[tokio::test(flavor = "multi_thread")]
async fn a_list_filters_by_the_health_that_its_webhooks_have() {
    let platform = Platform::new().await;
    platform.world.database.execute(HEALTHS).await;

    let all = platform.get("/api/v1/webhooks").await;

    for health in WebhookHealth::ALL {
        let found = platform
            .get(&format!("/api/v1/webhooks?health={health}"))
            .await;
        let listed = each(&found["data"], "health");
        let known = health.found().iter().map(|one| one.as_str());
        let known: Vec<_> = known.collect();
        let expected = each(&all["data"], "health").into_iter();
        let expected = expected.filter(|one| known.contains(one)).count();
        assert!(
            listed.iter().all(|one| known.contains(one)),
            "{health}: {listed:?}"
        );
        assert_eq!(listed.len(), expected, "{health}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_and_counts_the_health_of_each_webhook() {
    let platform = Platform::new().await;
    platform.world.database.execute(HEALTHS).await;

    let all = platform.get("/api/v1/webhooks?health_counts=true").await;

    for health in WebhookHealth::ALL {
        let named = each(&all["data"], "health").into_iter();
        let named = named.filter(|one| *one == health.as_str()).count();
        assert_eq!(all["health_counts"][health.as_str()], named, "{health}");
    }
    // The first word of a name in the statements is the health that the webhook must have.
    for webhook in all["data"].as_array().expect("a list") {
        assert_eq!(
            webhook["name"].as_str().map(first_word),
            webhook["health"].as_str()
        );
    }
    platform.end().await;
}

fn first_word(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_410_stops_a_webhook_and_an_activation_makes_it_unknown() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[410]).await;
    let id = create(&platform, "CRM", &receiver.url).await;

    assert_eq!(super::read(&platform, &id).await["health"], "unknown");
    publish(&platform, "failed", 1).await;
    becomes(&platform, &id, "stopped").await;
    switch(&platform, &id, "activate").await;
    becomes(&platform, &id, "unknown").await;
    publish(&platform, "succeeded", 1).await;
    becomes(&platform, &id, "healthy").await;
    switch(&platform, &id, "deactivate").await;

    becomes(&platform, &id, "inactive").await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_webhook_is_unknown_after_another_url_and_not_healthy() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let id = create(&platform, "CRM", &receiver.url).await;
    publish(&platform, "failed", 1).await;
    let failing = becomes(&platform, &id, "failing").await;

    let other = json!({"url": format!("{}other", receiver.url)});
    let path = format!("/api/v1/webhooks/{id}");
    let (status, changed) = platform.patch(&path, &other).await;

    assert_eq!(
        (status.as_u16(), &changed["health"]),
        (200, &json!("unknown"))
    );
    assert_eq!(changed["last_delivery"], failing["last_delivery"]);
    platform.end().await;
}

/// The names of all webhooks in the order of `sort`, read as a page of one webhook and the rest.
async fn sorted_by(platform: &Platform, sort: &str) -> Vec<String> {
    let path = format!("/api/v1/webhooks?sort={sort}");
    let first = platform.get(&format!("{path}&limit=1")).await;
    let cursor = first["next_cursor"].as_str().expect("a next page");
    let rest = platform.get(&format!("{path}&cursor={cursor}")).await;
    let pages = [first, rest];
    let names = each_on(&pages, "name").into_iter().map(str::to_owned);
    names.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_sorted_by_their_failure_rate() {
    let platform = Platform::new().await;
    let bad = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let good = Receiver::answering(&[]).await;
    create(&platform, "Fails", &bad.url).await;
    create(&platform, "Works too", &good.url).await;
    create(&platform, "Works", &good.url).await;
    publish(&platform, "failed", 1).await;

    let worst_first = async || {
        let names = sorted_by(&platform, "-failure_rate").await;
        (names[0] == "Fails").then_some(names)
    };
    let names = platform
        .world
        .eventually("the sums are written", worst_first)
        .await;

    let mut backward = sorted_by(&platform, "failure_rate").await;
    backward.reverse();
    assert_eq!((names.len(), backward), (3, names.clone()));
    platform.end().await;
}
