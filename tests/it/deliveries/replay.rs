//! A webhook gets what it missed.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{Platform, Receiver, event, event_with};

use crate::deliveries::{
    audited, comes_to, create, each, finishes, patch, publish, send, start, total,
};

/// The ids of the events that arrived, in order.
fn arrived(receiver: &Receiver) -> Vec<String> {
    let received = receiver.received().into_iter();
    received.map(|r| r.headers["webhook-id"].clone()).collect()
}

/// When an event was taken in.
async fn received_at(platform: &Platform, event: EventId) -> String {
    let found = platform.get(&format!("/api/v1/events/{event}")).await;
    found["received_at"].as_str().expect("a time").to_owned()
}

/// Sets a webhook Active or Inactive.
async fn set(platform: &Platform, webhook: &str, status: &str) {
    patch(platform, webhook, &json!({"status": status})).await;
}

/// How many a replay would send.
async fn count(platform: &Platform, webhook: &str, span: &Value) -> i64 {
    let path = format!("/api/v1/webhooks/{webhook}/replay?dry_run=true");
    let (status, counted) = platform.post(&path, span).await;
    assert_eq!(status, 200, "{counted}");
    counted["total"].as_i64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_webhook_missed_is_replayed_and_what_it_had_is_not() {
    let platform = Platform::new().await;
    let began = Utc::now();
    let receiver = Receiver::answering(&[]).await;
    let before_it_was_there = publish(&platform, EventType::LicenseCreated).await;
    let wants = json!({"event_types": ["license.*"]});
    let webhook = create(&platform, "CRM", &receiver.url, &wants).await;
    let had = publish(&platform, EventType::LicenseCreated).await;
    comes_to(&platform, &webhook, "succeeded").await;
    set(&platform, &webhook, "inactive").await;
    let while_inactive = publish(&platform, EventType::LicenseCreated).await;
    set(&platform, &webhook, "active").await;
    let before_it_subscribed = publish(&platform, EventType::ProductCreated).await;
    let wants = json!({"event_types": ["license.*", "product.*"]});
    patch(&platform, &webhook, &wants).await;
    publish(&platform, EventType::ContractCreated).await;
    send(
        &platform,
        &event(Environment::Staging, EventType::LicenseCreated),
    )
    .await;

    let all = json!({"since": began});
    let counted = count(&platform, &webhook, &all).await;
    let path = format!("/api/v1/webhooks/{webhook}/replay");
    let job = start(&platform, &path, &all).await;
    let finished = finishes(&platform, &job).await;
    let settled = async || (total(&platform, "status=succeeded").await == 4).then_some(());
    platform.world.eventually("they arrive", settled).await;

    assert_eq!((counted, &finished["done"]), (3, &json!(3)));
    let mut came = arrived(&receiver);
    came[1..].sort_unstable();
    let missed = [
        had,
        before_it_was_there,
        while_inactive,
        before_it_subscribed,
    ];
    assert_eq!(came, missed.map(|id| id.to_string()));
    let newest = comes_to(&platform, &webhook, "succeeded").await;
    assert_eq!(each(&newest["resends"], "kind"), ["replay"]);
    assert_eq!(each(&newest["resends"], "job_id"), [&job]);
    assert_eq!(audited(&platform, &webhook).await, ["events.replayed"]);
    assert_eq!(count(&platform, &webhook, &all).await, 0);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_events_of_the_span_of_time_are_replayed() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(publish(&platform, EventType::LicenseCreated).await);
    }
    let webhook = create(&platform, "CRM", &receiver.url, &json!({})).await;
    let span = json!({"since": received_at(&platform, events[1]).await,
        "until": received_at(&platform, events[2]).await});

    let counted = count(&platform, &webhook, &span).await;
    let path = format!("/api/v1/webhooks/{webhook}/replay");
    let job = start(&platform, &path, &span).await;
    let finished = finishes(&platform, &job).await;
    comes_to(&platform, &webhook, "succeeded").await;

    assert_eq!((counted, &finished["done"]), (1, &json!(1)));
    assert_eq!(arrived(&receiver), [events[1].to_string()]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_webhook_gets_what_it_missed_in_order() {
    let platform = Platform::new().await;
    let began: DateTime<Utc> = Utc::now();
    let receiver = Receiver::answering(&[]).await;
    let ordered = json!({"status": "inactive", "ordering": "by_key", "ordering_key": "license_id"});
    let webhook = create(&platform, "CRM", &receiver.url, &ordered).await;
    let mut published = Vec::new();
    for number in 0..12 {
        let data = format!(r#"{{"license_id":"lic_1","number":{number}}}"#);
        let event = event_with(Environment::Production, EventType::LicenseUpdated, &data);
        send(&platform, &event).await;
        published.push(event.id.to_string());
    }
    set(&platform, &webhook, "active").await;

    let path = format!("/api/v1/webhooks/{webhook}/replay");
    // Steps of three, so that order is kept from step to step.
    let job = start(&platform, &path, &json!({"since": began, "rate": 12})).await;
    finishes(&platform, &job).await;
    let settled = async || (total(&platform, "status=succeeded").await == 12).then_some(());
    platform.world.eventually("they arrive", settled).await;

    assert_eq!(arrived(&receiver), published);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_webhook_may_be_counted_for_but_gets_nothing() {
    let platform = Platform::new().await;
    let began = Utc::now();
    let off = json!({"status": "inactive"});
    let webhook = create(&platform, "CRM", crate::deliveries::NOBODY, &off).await;
    publish(&platform, EventType::LicenseCreated).await;
    let path = format!("/api/v1/webhooks/{webhook}/replay");

    let (status, problem) = platform.post(&path, &json!({"since": began})).await;
    let (wrong, named) = platform
        .post(&path, &json!({"until": "now", "rate": 0}))
        .await;

    assert_eq!(
        (status.as_u16(), &problem["detail"]),
        (
            409,
            &json!("an Inactive webhook receives no events; activate the webhook first")
        )
    );
    assert_eq!(wrong, 422);
    assert_eq!(each(&named["errors"], "field"), ["since", "until", "rate"]);
    assert_eq!(
        count(&platform, &webhook, &json!({"since": began})).await,
        1
    );
    assert_eq!(platform.get("/api/v1/jobs").await["data"], json!([]));
    platform.end().await;
}
