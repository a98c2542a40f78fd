//! Every outcome, told as of the moment when the event was taken in.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{Answer, Platform, Receiver};

use crate::events::{create, delete, each, explain, outcome, patch};

const NOBODY: &str = "http://127.0.0.1:9/";

/// Publishes what the webhooks of these tests want.
async fn publish(platform: &Platform) -> EventId {
    let event = platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    platform.taken_in(event).await;
    event
}

/// Waits until a webhook has this outcome.
async fn comes_to(platform: &Platform, event: EventId, webhook: &str, expected: &str) {
    let came = async || (outcome(platform, event, webhook).await == expected).then_some(());
    platform.world.eventually(expected, came).await;
}

/// The name, outcome and reason of each webhook.
fn told(explained: &Value) -> Vec<(&str, &str, &str)> {
    let list = &explained["data"];
    let outcomes = each(list, "outcome").into_iter().zip(each(list, "reason"));
    let told = each(list, "name").into_iter().zip(outcomes);
    told.map(|(name, (outcome, reason))| (name, outcome, reason))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_was_owed_an_event_is_told_by_its_delivery() {
    let platform = Platform::new().await;
    let wants = [
        (
            200,
            "delivered",
            "the receiver accepted the event after 1 attempt",
        ),
        (410, "failed", "the delivery was given up after 1 attempt"),
        (500, "retrying", "the delivery will be retried"),
        (0, "pending", "the delivery waits for its first attempt"),
    ];
    let mut ids = Vec::new();
    for (status, outcome, _) in wants {
        let receiver = Receiver::deciding(move |_, _| Answer::Status(status)).await;
        let id = create(&platform, outcome, "production", &["*"], &receiver.url).await;
        if status == 0 {
            platform.world.database.open_circuit(&id).await;
        }
        ids.push(id);
    }

    let event = publish(&platform).await;

    for (id, (_, expected, reason)) in ids.iter().zip(wants) {
        comes_to(&platform, event, id, expected).await;
        let explained = explain(&platform, event, &format!("webhook_id={id}")).await;
        let told = explained["data"][0]["reason"].as_str().expect("a reason");
        assert!(told.ends_with(reason), "{told}");
        assert!(explained["data"][0]["delivery_id"].is_string());
        assert_eq!(explained["counts"][expected], 1);
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cancelled_or_is_kept_no_more_is_told_so() {
    let platform = Platform::new().await;
    let left = create(&platform, "left", "production", &["*"], NOBODY).await;
    let old = create(&platform, "old", "production", &["*"], NOBODY).await;
    let off = create(&platform, "off", "production", &["*"], NOBODY).await;
    for id in [&left, &off] {
        platform.world.database.open_circuit(id).await;
    }

    let event = publish(&platform).await;
    delete(&platform, &left).await;
    patch(&platform, &off, &json!({"status": "inactive"})).await;
    let forget = format!(
        "DELETE FROM deliveries WHERE webhook_id = '{old}';
         UPDATE events SET received_at = received_at + interval '11 s'"
    );
    platform.world.database.execute(&forget).await;

    assert_eq!(
        told(&explain(&platform, event, "").await),
        [
            (
                "left",
                "cancelled",
                "the delivery was cancelled after 0 attempts"
            ),
            (
                "off",
                "pending",
                "the delivery waits until the webhook is Active again"
            ),
            (
                "old",
                "not_kept",
                "the event was owed to the webhook; the delivery is older than the retention period"
            ),
        ]
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_was_not_owed_an_event_is_told_why() {
    let platform = Platform::new().await;
    create(&platform, "elsewhere", "staging", &["*"], NOBODY).await;
    create(
        &platform,
        "choosy",
        "production",
        &["contract.*", "license.created"],
        NOBODY,
    )
    .await;
    let off = create(&platform, "off", "production", &["*"], NOBODY).await;
    patch(&platform, &off, &json!({"status": "inactive"})).await;
    let left = create(&platform, "left", "production", &["*"], NOBODY).await;
    delete(&platform, &left).await;

    let event = publish(&platform).await;
    create(&platform, "new", "production", &["*"], NOBODY).await;

    let explained = explain(&platform, event, "").await;
    assert_eq!(
        told(&explained),
        [
            (
                "choosy",
                "not_subscribed",
                "the webhook had selected contract.*, license.created, not license.activated"
            ),
            ("off", "inactive", "the webhook was Inactive at that moment"),
            (
                "left",
                "deleted",
                "the webhook was deleted before the event was taken in"
            ),
            (
                "new",
                "created_later",
                "the webhook was created after the event was taken in"
            ),
            (
                "elsewhere",
                "other_environment",
                "the webhook was for staging; the event is of production"
            ),
        ]
    );
    assert_eq!(explained["event"]["matched"], false);
    assert!(explained["data"][0]["delivery_id"].is_null());
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_stays_what_it_was_whatever_becomes_of_the_webhooks() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let got = create(&platform, "got", "production", &["*"], &receiver.url).await;
    let choosy = create(&platform, "choosy", "production", &["contract.*"], NOBODY).await;
    let elsewhere = create(&platform, "elsewhere", "staging", &["*"], NOBODY).await;
    let same = create(&platform, "same", "staging", &["*"], NOBODY).await;
    let event = publish(&platform).await;
    comes_to(&platform, event, &got, "delivered").await;
    let before = explain(&platform, event, "").await;

    patch(
        &platform,
        &got,
        &json!({"name": "renamed", "status": "inactive"}),
    )
    .await;
    patch(&platform, &choosy, &json!({"event_types": ["*"]})).await;
    patch(&platform, &elsewhere, &json!({"environment": "production"})).await;
    patch(&platform, &same, &json!({"rate_limit": 5})).await;
    delete(&platform, &choosy).await;

    let after = explain(&platform, event, "").await;
    assert_eq!(told(&after), told(&before));
    assert_eq!(after["counts"], before["counts"]);
    let changed = |explained: &Value| {
        let list = explained["data"].as_array().expect("a list").iter();
        list.map(|w| w["changed_since"] == true).collect::<Vec<_>>()
    };
    assert_eq!(changed(&before), [false; 4]);
    assert_eq!(changed(&after), [true, true, true, false]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_around_a_deactivation_are_told_apart() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[200, 200, 410]).await;
    let id = create(&platform, "CRM", "production", &["*"], &receiver.url).await;

    let before = publish(&platform).await;
    patch(&platform, &id, &json!({"status": "inactive"})).await;
    let between = publish(&platform).await;
    patch(&platform, &id, &json!({"status": "active"})).await;
    let after = publish(&platform).await;
    comes_to(&platform, after, &id, "delivered").await;
    let last = publish(&platform).await;
    comes_to(&platform, last, &id, "failed").await;
    let disabled = async || {
        let webhook = platform.get(&format!("/api/v1/webhooks/{id}")).await;
        (webhook["status"] == "inactive").then_some(())
    };
    platform.world.eventually("it is disabled", disabled).await;
    let too_late = publish(&platform).await;

    let mut outcomes = Vec::new();
    for event in [before, between, after, last, too_late] {
        outcomes.push(outcome(&platform, event, &id).await);
    }
    assert_eq!(
        outcomes,
        ["delivered", "inactive", "delivered", "failed", "inactive"]
    );
    let told = explain(&platform, too_late, "").await;
    assert_eq!(
        told["data"][0]["reason"],
        "the webhook was Inactive at that moment (disabled: the receiver answered 410 Gone)"
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_is_told_as_one_to_all_other_webhooks() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let tested = create(
        &platform,
        "tested",
        "production",
        &["contract.*"],
        &receiver.url,
    )
    .await;
    create(&platform, "other", "production", &["*"], NOBODY).await;

    let path = format!("/api/v1/webhooks/{tested}/test?wait=10s");
    let (_, sent) = platform
        .post(&path, &json!({"event_type": "license.created"}))
        .await;

    let event = sent["event_id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("an id");
    let explained = explain(&platform, event, "").await;
    assert_eq!(
        told(&explained),
        [
            (
                "tested",
                "delivered",
                "the receiver accepted the event after 1 attempt"
            ),
            (
                "other",
                "test_event",
                "the event is a test for another webhook"
            ),
        ]
    );
    assert_eq!(explained["event"]["test_webhook_id"], tested.as_str());
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_at_the_same_moment_is_found_though_its_time_is_not_the_same() {
    let platform = Platform::new().await;
    let id = create(&platform, "CRM", "production", &["*"], NOBODY).await;
    let began: String = platform
        .world
        .database
        .ask("SELECT (now() + interval '1 h')::text")
        .await;
    platform.world.database.execute(
        "UPDATE webhook_history SET valid_from = '-infinity' WHERE version = 1; DELETE FROM webhook_history WHERE version = 0"
    ).await;
    patch(&platform, &id, &json!({"status": "inactive"})).await;
    platform
        .world
        .database
        .execute(&format!(
            "UPDATE webhook_history SET valid_until = '{began}' WHERE version = 1;
         UPDATE webhook_history SET valid_from = '{began}' WHERE version = 2"
        ))
        .await;
    let event = publish(&platform).await;

    let mut outcomes = Vec::new();
    for seconds in [-60, -9, 0, 9] {
        let sql = format!(
            "UPDATE events SET received_at = '{began}'::timestamptz + interval '{seconds} s'"
        );
        platform.world.database.execute(&sql).await;
        outcomes.push(outcome(&platform, event, &id).await);
    }
    assert_eq!(outcomes, ["not_kept", "inactive", "inactive", "inactive"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_comes_in_pages_and_counts_all_webhooks() {
    let platform = Platform::new().await;
    let mut expected: [Vec<String>; 3] = Default::default();
    for number in 0..9 {
        let (place, environment, types) = [
            (0, "production", "*"),
            (1, "production", "contract.*"),
            (2, "staging", "*"),
        ][number % 3];
        let id = create(
            &platform,
            &format!("{number}"),
            environment,
            &[types],
            NOBODY,
        )
        .await;
        expected[place].push(id);
    }
    let event = publish(&platform).await;

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/events/{event}/explanation?limit=2{cursor}");
        let page = platform.get(&path).await;
        assert_eq!(page["counts"]["not_subscribed"], 3);
        seen.extend(
            each(&page["data"], "webhook_id")
                .into_iter()
                .map(str::to_owned),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }

    assert_eq!(seen, expected.concat());
    let some = explain(&platform, event, "outcome=other_environment").await;
    assert_eq!(each(&some["data"], "webhook_id"), expected[2]);
    let none = explain(&platform, event, "outcome=deleted").await;
    assert_eq!(
        (&none["data"], &none["counts"]["other_environment"]),
        (&json!([]), &json!(3))
    );
    let (refused, _) = platform
        .ask(
            Method::GET,
            &format!("/api/v1/events/{event}/explanation?outcome=lost"),
            None,
        )
        .await;
    assert_eq!(refused, 422);
    platform.end().await;
}
