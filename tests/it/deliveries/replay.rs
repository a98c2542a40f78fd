//! Replays: new deliveries for missed events.

use chrono::Utc;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{CreatedWebhook, Platform, Receiver, event, event_with, fields_of};

use crate::deliveries::{audited, comes_to, each, finishes, start};

/// The ids of the received events, in order.
fn arrived(receiver: &Receiver) -> Vec<String> {
    let received = receiver.received().into_iter();
    received.map(|r| r.headers["webhook-id"].clone()).collect()
}

/// When an event was taken in.
async fn received_at(platform: &Platform, event: EventId) -> String {
    let found = platform.get(&format!("/api/v1/events/{event}")).await;
    found["received_at"].as_str().expect("a time").to_owned()
}

/// The number of events for a replay.
async fn count(platform: &Platform, webhook: &CreatedWebhook, span: &Value) -> i64 {
    let path = format!("{}/replay?dry_run=true", webhook.path);
    let (status, counted) = platform.post(&path, span).await;
    assert_eq!(status, 200, "{counted}");
    counted["total"].as_i64().expect("a number")
}

/// Replays to the end, and returns the finished job.
async fn replay(platform: &Platform, webhook: &CreatedWebhook, span: &Value) -> Value {
    let job = start(platform, &format!("{}/replay", webhook.path), span).await;
    finishes(platform, &job).await
}

/// Publishes four events. The webhook misses three: before the creation of the webhook, while the
/// webhook is Inactive, and before the webhook asks for `product.*`. Returns the webhook, and the
/// events with the delivered event first.
async fn miss_three_of_four(
    platform: &Platform,
    receiver: &Receiver,
) -> (CreatedWebhook, [EventId; 4]) {
    let before_creation = platform.take_in(EventType::LicenseCreated).await;
    let webhook = platform.webhook_to(receiver).types(&["license.*"]);
    let webhook = webhook.create().await;
    let delivered = platform.take_in(EventType::LicenseCreated).await;
    comes_to(platform, &webhook, "succeeded").await;
    platform.set_status(&webhook, "inactive").await;
    let while_inactive = platform.take_in(EventType::LicenseCreated).await;
    platform.set_status(&webhook, "active").await;
    let before_selection = platform.take_in(EventType::ProductCreated).await;
    let selection = json!({"event_types": ["license.*", "product.*"]});
    platform.change(&webhook, &selection).await;
    let missed = [before_creation, while_inactive, before_selection];
    (webhook, [delivered, missed[0], missed[1], missed[2]])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_sends_the_missed_events_that_the_webhook_wants_now() {
    let platform = Platform::new().await;
    let all = json!({"since": Utc::now()});
    let receiver = Receiver::answering(&[]).await;
    let (webhook, events) = miss_three_of_four(&platform, &receiver).await;
    platform.take_in(EventType::ContractCreated).await;
    let elsewhere = event(Environment::Staging, EventType::LicenseCreated);
    platform.take_in_event(&elsewhere).await;

    let counted = count(&platform, &webhook, &all).await;
    let finished = replay(&platform, &webhook, &all).await;
    platform.deliveries_become("succeeded", 4).await;

    assert_eq!((counted, &finished["done"]), (3, &json!(3)));
    let mut came = arrived(&receiver);
    // Missed events come in any order.
    came[1..].sort_unstable();
    assert_eq!(came, events.map(|id| id.to_string()));
    assert_eq!(count(&platform, &webhook, &all).await, 0);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_delivery_names_its_job_and_the_replay_is_audited() {
    let platform = Platform::new().await;
    let all = json!({"since": Utc::now()});
    let receiver = Receiver::answering(&[]).await;
    platform.take_in(EventType::LicenseCreated).await;
    let webhook = platform.webhook_to(&receiver).create().await;

    let finished = replay(&platform, &webhook, &all).await;

    let delivery = comes_to(&platform, &webhook, "succeeded").await;
    assert_eq!(each(&delivery["resends"], "kind"), ["replay"]);
    assert_eq!(delivery["resends"][0]["job_id"], finished["id"]);
    assert_eq!(audited(&platform, &webhook).await, ["events.replayed"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_events_of_the_span_of_time_are_replayed() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(platform.take_in(EventType::LicenseCreated).await);
    }
    let webhook = platform.webhook_to(&receiver).create().await;
    let span = json!({"since": received_at(&platform, events[1]).await,
        "until": received_at(&platform, events[2]).await});

    let counted = count(&platform, &webhook, &span).await;
    let finished = replay(&platform, &webhook, &span).await;
    comes_to(&platform, &webhook, "succeeded").await;

    assert_eq!((counted, &finished["done"]), (1, &json!(1)));
    assert_eq!(arrived(&receiver), [events[1].to_string()]);
    platform.end().await;
}

/// Publishes twelve events of a licence, and returns the ids.
async fn take_in_twelve_of_a_licence(platform: &Platform) -> Vec<String> {
    let mut published = Vec::new();
    for number in 0..12 {
        let data = format!(r#"{{"license_id":"lic_1","number":{number}}}"#);
        let event = event_with(Environment::Production, EventType::LicenseUpdated, &data);
        platform.take_in_event(&event).await;
        published.push(event.id.to_string());
    }
    published
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_webhook_gets_missed_events_in_order() {
    let platform = Platform::new().await;
    let began = Utc::now();
    let receiver = Receiver::answering(&[]).await;
    let ordered = json!({"ordering": "by_key", "ordering_key": "license_id"});
    let webhook = platform.webhook_to(&receiver).inactive().with(&ordered);
    let webhook = webhook.create().await;
    let published = take_in_twelve_of_a_licence(&platform).await;
    platform.set_status(&webhook, "active").await;

    // Four steps of three events: the order must hold from step to step.
    let in_steps = json!({"since": began, "rate": 12});
    replay(&platform, &webhook, &in_steps).await;
    platform.deliveries_become("succeeded", 12).await;

    assert_eq!(arrived(&receiver), published);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_for_an_inactive_webhook_is_counted_but_refused() {
    let platform = Platform::new().await;
    let all = json!({"since": Utc::now()});
    let webhook = platform.webhook("CRM").inactive().create().await;
    platform.take_in(EventType::LicenseCreated).await;

    let path = format!("{}/replay", webhook.path);
    let (status, problem) = platform.post(&path, &all).await;

    assert_eq!(status, 409);
    assert_eq!(
        problem["detail"],
        "an Inactive webhook receives no events; activate the webhook first"
    );
    assert_eq!(count(&platform, &webhook, &all).await, 1);
    assert_eq!(platform.get("/api/v1/jobs").await["data"], json!([]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_field_of_a_replay_is_named() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;

    let path = format!("{}/replay", webhook.path);
    let wrong = json!({"until": "now", "rate": 0});
    let (status, problem) = platform.post(&path, &wrong).await;

    assert_eq!(status, 422);
    assert_eq!(fields_of(&problem), ["since", "until", "rate"]);
    assert_eq!(platform.get("/api/v1/jobs").await["data"], json!([]));
    platform.end().await;
}
