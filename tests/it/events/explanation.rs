//! Explanations tell the webhooks as of the moment when the event was taken in.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{EventId, EventType};
use webhook_tests::{CreatedWebhook, Platform, Receiver, each_on};

use crate::events::{comes_to, each, explain, outcome};

/// Whether each webhook in an explanation was changed since the event.
fn changed_since(explained: &Value) -> Vec<bool> {
    let list = explained["data"].as_array().expect("a list").iter();
    list.map(|webhook| webhook["changed_since"] == true)
        .collect()
}

/// The outcome of each webhook in an explanation with name and reason.
fn outcomes(explained: &Value) -> Vec<[Value; 3]> {
    let list = explained["data"].as_array().expect("a list").iter();
    list.map(|webhook| ["name", "outcome", "reason"].map(|field| webhook[field].clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_stays_the_same_when_webhooks_change_later() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let got = platform.webhook("got").at(&receiver.url).create().await;
    let choosy = platform.webhook("choosy").types(&["contract.*"]);
    let choosy = choosy.create().await;
    let elsewhere = platform.webhook("elsewhere").environment("staging");
    let elsewhere = elsewhere.create().await;
    let same = platform.webhook("same").environment("staging");
    let same = same.create().await;
    let event = platform.take_in(EventType::LicenseActivated).await;
    comes_to(&platform, event, &got, "delivered").await;
    let before = explain(&platform, event, "").await;

    change_later(&platform, [&got, &choosy, &elsewhere, &same]).await;

    let after = explain(&platform, event, "").await;
    assert_eq!(outcomes(&after), outcomes(&before));
    assert_eq!(after["counts"], before["counts"]);
    assert_eq!(changed_since(&before), [false; 4]);
    assert_eq!(changed_since(&after), [true, true, true, false]);
    platform.end().await;
}

/// Changes the webhooks in every way with another outcome for a new event. The change of the last
/// webhook has no part in explanations.
async fn change_later(platform: &Platform, webhooks: [&CreatedWebhook; 4]) {
    let [got, choosy, elsewhere, same] = webhooks;
    let renamed = json!({"name": "renamed", "status": "inactive"});
    platform.change(got, &renamed).await;
    let all = json!({"event_types": ["*"]});
    platform.change(choosy, &all).await;
    let moved = json!({"environment": "production"});
    platform.change(elsewhere, &moved).await;
    platform.change(same, &json!({"rate_limit": 5})).await;
    platform.delete(choosy).await;
}

/// Asserts the outcome of each event for a webhook.
async fn assert_outcomes(
    platform: &Platform,
    webhook: &CreatedWebhook,
    expected: &[(EventId, &str)],
) {
    for (number, (event, expected)) in expected.iter().enumerate() {
        let outcome = outcome(platform, *event, webhook).await;
        assert_eq!(outcome, *expected, "event {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_before_during_and_after_a_deactivation_have_their_own_outcomes() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;

    let before = platform.take_in(EventType::LicenseActivated).await;
    platform.set_status(&webhook, "inactive").await;
    let during = platform.take_in(EventType::LicenseActivated).await;
    platform.set_status(&webhook, "active").await;
    let after = platform.take_in(EventType::LicenseActivated).await;
    comes_to(&platform, after, &webhook, "delivered").await;

    let expected = [
        (before, "delivered"),
        (during, "inactive"),
        (after, "delivered"),
    ];
    assert_outcomes(&platform, &webhook, &expected).await;
    platform.end().await;
}

/// Waits until the platform has set a webhook Inactive.
async fn is_disabled(platform: &Platform, webhook: &CreatedWebhook) {
    let disabled = async || {
        let webhook = platform.get(&webhook.path).await;
        (webhook["status"] == "inactive").then_some(())
    };
    let world = &platform.world;
    world.eventually("the webhook is Inactive", disabled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_after_a_410_is_explained_by_the_410() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[410]).await;
    let webhook = platform.webhook_to(&receiver).create().await;

    let last = platform.take_in(EventType::LicenseActivated).await;
    comes_to(&platform, last, &webhook, "failed").await;
    is_disabled(&platform, &webhook).await;
    let too_late = platform.take_in(EventType::LicenseActivated).await;

    let expected = [(last, "failed"), (too_late, "inactive")];
    assert_outcomes(&platform, &webhook, &expected).await;
    let explained = explain(&platform, too_late, "").await;
    assert_eq!(
        explained["data"][0]["reason"],
        "the webhook was Inactive at that moment (disabled: the receiver answered 410 Gone)"
    );
    platform.end().await;
}

/// Dates the change from version 1 to version 2 of the only webhook to `moment`.
async fn date_change(platform: &Platform, moment: &str) {
    let sql = format!(
        "DELETE FROM webhook_history WHERE version = 0;
         UPDATE webhook_history SET valid_from = '-infinity', valid_until = '{moment}' WHERE version = 1;
         UPDATE webhook_history SET valid_from = '{moment}' WHERE version = 2"
    );
    platform.world.database.execute(&sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_within_ten_seconds_of_an_event_is_found() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let database = &platform.world.database;
    let moment: String = database.ask("SELECT (now() + interval '1 h')::text").await;
    platform.set_status(&webhook, "inactive").await;
    date_change(&platform, &moment).await;
    let event = platform.take_in(EventType::LicenseActivated).await;

    let mut outcomes = Vec::new();
    for seconds in [-60, -9, 0, 9] {
        let sql = format!(
            "UPDATE events SET received_at = '{moment}'::timestamptz + interval '{seconds} s'"
        );
        database.execute(&sql).await;
        outcomes.push(outcome(&platform, event, &webhook).await);
    }

    assert_eq!(outcomes, ["not_kept", "inactive", "inactive", "inactive"]);
    platform.end().await;
}

/// Creates nine webhooks, and returns the ids by the outcome of an event of `license.activated` in
/// production: pending, not subscribed, other environment.
async fn nine_webhooks(platform: &Platform) -> [Vec<String>; 3] {
    let mut ids: [Vec<String>; 3] = Default::default();
    for number in 0..3 {
        let name = number.to_string();
        let wanting = platform.webhook(&name).create().await;
        let choosy = platform.webhook(&name).types(&["contract.*"]);
        let elsewhere = platform.webhook(&name).environment("staging");
        ids[0].push(wanting.id);
        ids[1].push(choosy.create().await.id);
        ids[2].push(elsewhere.create().await.id);
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_comes_in_pages_that_count_all_webhooks() {
    let platform = Platform::new().await;
    let ids = nine_webhooks(&platform).await;
    let event = platform.take_in(EventType::LicenseActivated).await;

    let path = format!("/api/v1/events/{event}/explanation?limit=2");
    let pages = platform.pages(&path).await;

    assert_eq!(each_on(&pages, "webhook_id"), ids.concat());
    for page in pages {
        assert_eq!(page["counts"]["not_subscribed"], 3);
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_is_filtered_by_outcome_and_counts_all_outcomes() {
    let platform = Platform::new().await;
    let ids = nine_webhooks(&platform).await;
    let event = platform.take_in(EventType::LicenseActivated).await;

    let elsewhere = explain(&platform, event, "outcome=other_environment").await;
    let deleted = explain(&platform, event, "outcome=deleted").await;
    let wrong = format!("/api/v1/events/{event}/explanation?outcome=lost");
    let (refused, _) = platform.ask(Method::GET, &wrong, None).await;

    assert_eq!(each(&elsewhere["data"], "webhook_id"), ids[2]);
    assert_eq!(deleted["data"], json!([]));
    assert_eq!(deleted["counts"]["other_environment"], 3);
    assert_eq!(refused, 422);
    platform.end().await;
}
