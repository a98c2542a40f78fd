//! One delivery asked for again, or wanted no more.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{Answer, Platform, Receiver, Service, event_with};

use crate::deliveries::{
    NOBODY, audited, comes_to, create, delete, each, every, once, patch, patient, pause, publish,
    read, send,
};

/// Asks for something to be done with a delivery.
async fn act(platform: &Platform, delivery: &Value, action: &str) -> (StatusCode, Value) {
    let id = delivery["id"].as_str().expect("an id");
    let path = format!("/api/v1/deliveries/{id}/{action}");
    platform.ask(Method::POST, &path, None).await
}

/// The numbers of a delivery's attempts.
fn numbers(delivery: &Value) -> Vec<i64> {
    let attempts = delivery["attempts"].as_array().expect("attempts").iter();
    attempts.filter_map(|a| a["number"].as_i64()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_a_failed_delivery_has_all_attempts_of_its_policy_again() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500, 500, 500]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &every(100, 2)).await;
    publish(&platform, EventType::LicenseCreated).await;
    let failed = comes_to(&platform, &webhook, "failed").await;

    let (status, answer) = act(&platform, &failed, "retry").await;

    assert_eq!(status, 202, "{answer}");
    let delivery = comes_to(&platform, &webhook, "succeeded").await;
    assert_eq!(numbers(&delivery), [1, 2, 3, 4]);
    let resend = &delivery["resends"][0];
    assert_eq!(
        (&resend["kind"], &resend["after_attempt"], &resend["job_id"]),
        (&json!("retry"), &json!(2), &json!(null))
    );
    assert_eq!(audited(&platform, &webhook).await, ["delivery.retried"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_succeeded_is_sent_again_as_the_same_event() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &json!({})).await;
    let event = publish(&platform, EventType::LicenseCreated).await;
    let first = comes_to(&platform, &webhook, "succeeded").await;

    let (status, _) = act(&platform, &first, "retry").await;
    let arrived = async || (receiver.count() == 2).then_some(());
    platform.world.eventually("it arrives again", arrived).await;

    assert_eq!(status, 202);
    let delivery = comes_to(&platform, &webhook, "succeeded").await;
    assert_eq!(numbers(&delivery), [1, 2]);
    assert_eq!(each(&delivery["resends"], "kind"), ["resend"]);
    for request in receiver.received() {
        assert_eq!(request.headers["webhook-id"], event.to_string());
    }
    assert_eq!(audited(&platform, &webhook).await, ["delivery.resent"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_one_that_waits_goes_at_once_and_on_with_its_schedule() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500, 500]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &patient()).await;
    publish(&platform, EventType::LicenseCreated).await;
    let waiting = comes_to(&platform, &webhook, "retrying").await;

    act(&platform, &waiting, "retry").await;

    let id = waiting["id"].as_str().expect("an id");
    let tried = async || {
        let delivery = read(&platform, id).await;
        (delivery["attempt_count"] == 2).then_some(delivery)
    };
    let again = platform.world.eventually("it is tried", tried).await;
    let left = |delivery: &Value| delivery["schedule"].as_array().map_or(0, Vec::len);
    assert_eq!((left(&waiting), left(&again)), (11, 10));
    assert_eq!(each(&again["resends"], "kind"), ["retry"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_never_tried_stays_as_it_is() {
    let platform = Platform::new().await;
    let webhook = create(&platform, "CRM", NOBODY, &json!({})).await;
    pause(&platform, &webhook).await;
    publish(&platform, EventType::LicenseCreated).await;
    let before = comes_to(&platform, &webhook, "pending").await;

    let (status, after) = act(&platform, &before, "retry").await;

    assert_eq!(status, 202, "{after}");
    assert_eq!(
        (&after["status"], &after["attempt_count"], &after["resends"]),
        (&json!("pending"), &json!(0), &json!([]))
    );
    assert!(audited(&platform, &webhook).await.is_empty());
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_delivery_is_not_tried_again_until_it_is_asked_for() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, request| {
        let first = request.headers["x-webhook-attempt"] == "1";
        Answer::Status(if first { 500 } else { 200 })
    });
    let receiver = receiver.await;
    let webhook = create(&platform, "CRM", &receiver.url, &every(1_000, 5)).await;
    publish(&platform, EventType::LicenseCreated).await;
    let waiting = comes_to(&platform, &webhook, "retrying").await;

    let (status, cancelled) = act(&platform, &waiting, "cancel").await;
    // Its first retry comes later than that of the cancelled one would.
    publish(&platform, EventType::LicenseUpdated).await;
    comes_to(&platform, &webhook, "succeeded").await;

    assert_eq!(
        (status.as_u16(), &cancelled["status"]),
        (200, &json!("cancelled"))
    );
    assert_eq!(cancelled["next_attempt_at"], json!(null));
    assert_eq!(receiver.count(), 3, "one for it, two for the other");
    assert_eq!(audited(&platform, &webhook).await, ["delivery.cancelled"]);
    assert_eq!(act(&platform, &waiting, "retry").await.0, 202);
    let arrived = async || (receiver.count() == 4).then_some(());
    platform.world.eventually("it arrives", arrived).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_runs_while_its_delivery_is_cancelled_changes_nothing() {
    let platform = Platform::new().await;
    let slow = Answer::After(Duration::from_millis(500));
    let receiver = Receiver::scripted(vec![slow]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &patient()).await;
    publish(&platform, EventType::LicenseCreated).await;
    let arrived = async || (receiver.count() == 1).then_some(());
    platform.world.eventually("it arrives", arrived).await;
    let running = comes_to(&platform, &webhook, "pending").await;

    let (status, _) = act(&platform, &running, "cancel").await;
    let id = running["id"].as_str().expect("an id");
    let recorded = async || {
        let delivery = read(&platform, id).await;
        (numbers(&delivery) == [1]).then_some(delivery)
    };
    let after = platform.world.eventually("it is recorded", recorded).await;

    assert_eq!(
        (status.as_u16(), &after["status"]),
        (200, &json!("cancelled"))
    );
    assert_eq!(after["attempts"][0]["response_status"], 200);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_delivery_lets_the_next_of_its_key_go_on() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let mut ordered = patient();
    ordered["ordering"] = json!("by_key");
    ordered["ordering_key"] = json!("license_id");
    let webhook = create(&platform, "CRM", &receiver.url, &ordered).await;
    let event = |number| {
        let data = format!(r#"{{"license_id":"lic_1","number":{number}}}"#);
        event_with(Environment::Production, EventType::LicenseUpdated, &data)
    };
    let (first, second) = (event(1), event(2));
    send(&platform, &first).await;
    let blocking = comes_to(&platform, &webhook, "retrying").await;
    send(&platform, &second).await;
    assert!(!receiver.has(&second.body), "it waits for its turn");

    act(&platform, &blocking, "cancel").await;

    let next = comes_to(&platform, &webhook, "succeeded").await;
    assert_eq!(next["event_id"], second.id.to_string());
    assert_eq!(receiver.count(), 2);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_or_cancelled_is_refused_with_the_reason() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let mut failed = Vec::new();
    for name in ["inactive", "deleted", "forgotten"] {
        failed.push(create(&platform, name, &receiver.url, &once()).await);
    }
    let event = publish(&platform, EventType::LicenseCreated).await;
    let [inactive, deleted, forgotten] = [
        comes_to(&platform, &failed[0], "failed").await,
        comes_to(&platform, &failed[1], "failed").await,
        comes_to(&platform, &failed[2], "failed").await,
    ];
    patch(&platform, &failed[0], &json!({"status": "inactive"})).await;
    delete(&platform, &failed[1]).await;
    let forget = format!("DELETE FROM events WHERE id = '{event}'");
    platform.world.database.execute(&forget).await;

    for (delivery, action, reason) in [
        (
            &inactive,
            "retry",
            "the webhook is Inactive; activate the webhook first",
        ),
        (&deleted, "retry", "the webhook was deleted"),
        (&forgotten, "retry", "the event is no longer stored"),
        (
            &forgotten,
            "cancel",
            "only a pending delivery can be cancelled",
        ),
    ] {
        let (status, problem) = act(&platform, delivery, action).await;
        assert_eq!((status.as_u16(), &problem["detail"]), (409, &json!(reason)));
    }
    let id = forgotten["id"].as_str().expect("an id");
    let left = read(&platform, id).await;
    assert_eq!(
        (&left["status"], &left["request_body"], &left["resends"]),
        (&json!("failed"), &json!(null), &json!([]))
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_deliveries_and_sends_none() {
    let mut platform = Platform::new().await;
    let webhook = create(&platform, "CRM", NOBODY, &patient()).await;
    publish(&platform, EventType::LicenseCreated).await;
    let waiting = comes_to(&platform, &webhook, "retrying").await;
    platform.key = Service::new_key(&platform.world, "viewer").await;

    for action in ["retry", "cancel"] {
        assert_eq!(act(&platform, &waiting, action).await.0, 403, "{action}");
    }
    let replay = format!("/api/v1/webhooks/{webhook}/replay");
    for path in ["/api/v1/deliveries/retry", &replay] {
        assert_eq!(platform.post(path, &json!({})).await.0, 403, "{path}");
    }
    comes_to(&platform, &webhook, "retrying").await;
    platform.end().await;
}
