//! The overview, and the list of what fails.

use serde_json::{Value, json};
use webhook_tests::{Answer, Browser, Platform, Receiver, assert_fields, each};

use super::{becomes, create, publish};

/// A platform with a webhook that works and one that fails, an event delivered to both.
async fn with_one_failing() -> Platform {
    let platform = Platform::new().await;
    let (bad, good) = (
        Receiver::deciding(|_, _| Answer::Status(500)).await,
        Receiver::answering(&[]).await,
    );
    let fails = create(&platform, "Fails", &bad.url).await;
    create(&platform, "Works", &good.url).await;
    publish(&platform, "failed", 1).await;
    publish(&platform, "succeeded", 2).await;
    becomes(&platform, &fails, "failing").await;
    platform
}

/// Waits until the sums of both webhooks are in the overview of production, and reads the overview.
async fn summed_up(platform: &Platform) -> Value {
    let path = "/api/v1/overview?environment=production";
    let summed = async || {
        let overview = platform.get(path).await;
        let slowest = overview["slowest"].as_array().map_or(0, Vec::len);
        (slowest == 2).then_some(overview)
    };
    let world = &platform.world;
    world.eventually("the days are summed up", summed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_webhooks_are_counted_above_the_list_and_a_link_away() {
    let platform = with_one_failing().await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.press("1 Failing").await;
    browser.arrive("/admin/webhooks?health=failing").await;
    assert_eq!(browser.texts("tbody th").await, ["Fails"]);
    browser.press("Show all").await;
    browser.choose("Health", "Healthy").await;
    browser.arrive("/admin/webhooks?health=healthy").await;
    browser.see("1 webhook").await;
    assert_eq!(browser.texts("tbody th").await, ["Works"]);
    browser
        .choose("Sort by", "Highest failure rate first")
        .await;

    browser
        .arrive("/admin/webhooks?health=healthy&sort=-failure_rate")
        .await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_shows_an_environment_at_once_and_leads_on() {
    let platform = with_one_failing().await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.press("Overview").await;
    browser.arrive("/admin/overview").await;
    let said = browser.see("Deliveries in the last 24 hours").await;
    assert!(said.contains("50 % 2 of 4 deliveries failed"), "{said}");
    assert_eq!(browser.texts("#failing-webhooks tbody th").await, ["Fails"]);
    assert_eq!(browser.texts("#event-types tbody td").await, ["2", "2"]);
    browser.press("Staging").await;
    browser.arrive("/admin/overview?environment=staging").await;
    browser.see("No deliveries ended in this period.").await;
    browser.press("Production").await;
    browser.press("7 days").await;
    browser.see("Deliveries in the last 7 days").await;
    browser.press("All failing webhooks").await;

    browser
        .arrive("/admin/webhooks?environment=production&health=failing&sort=-failure_rate")
        .await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_of_the_api_counts_outcomes_types_and_what_waits() {
    let platform = with_one_failing().await;

    let overview = summed_up(&platform).await;

    let expected = json!({
        "total": {"succeeded": 2, "failed": 2, "attempts": 4, "failed_attempts": 2},
        "pending": {"count": 0, "oldest_due": null},
        "rejected_messages": {"count": 0},
        "dispatchers": null,
    });
    assert_fields(&overview, &expected);
    assert_eq!(overview["data"].as_array().map(Vec::len), Some(24));
    assert_eq!(
        each(&overview["event_types"], "event_type"),
        ["license.created"]
    );
    assert_eq!(overview["event_types"][0]["failed"], 2);
    assert_eq!(each(&overview["failing"], "name"), ["Fails"]);
    assert_eq!(overview["webhooks"]["healthy"], 1);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_of_an_environment_counts_deliveries_of_no_other() {
    let platform = with_one_failing().await;
    summed_up(&platform).await;

    let staging = platform.get("/api/v1/overview?environment=staging").await;

    assert_eq!(staging["total"]["attempts"], 0);
    assert_eq!(staging["data"][0]["failed"], 0);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_tells_what_waits_and_since_when() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let id = create(&platform, "Paused", &receiver.url).await;
    platform.world.database.open_circuit(&id).await;
    publish(&platform, "pending", 1).await;
    let waits = async || {
        let overview = platform
            .get("/api/v1/overview?environment=production")
            .await;
        overview["pending"]["oldest_due"]
            .is_string()
            .then_some(overview)
    };

    let overview = platform.world.eventually("a delivery is due", waits).await;

    assert_eq!(overview["pending"]["count"], 1);
    assert_eq!(overview["webhooks"]["paused"], 1);
    assert_eq!(each(&overview["failing"], "health"), ["paused"]);
    let staging = platform.get("/api/v1/overview?environment=staging").await;
    assert_eq!(staging["pending"], json!({"count": 0, "oldest_due": null}));
    platform.end().await;
}
