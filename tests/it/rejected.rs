//! Messages other than events: kept, shown, requeued after a fix, discarded.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use webhook_domain::{Environment, Event, EventType};
use webhook_tests::{Platform, Receiver, Service, assert_fields, event, text_of};

const LIST: &str = "/api/v1/rejected-messages";

/// Publishes bodies to the exchange, as a platform service would.
async fn publish(platform: &Platform, bodies: &[&[u8]]) {
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let mut wrong = event(Environment::Production, EventType::ProductCreated);
    for body in bodies {
        wrong.body = body.to_vec().into();
        let confirmed = publisher.publish(&wrong).await;
        confirmed.expect("the broker confirms the message");
    }
    cancel.cancel();
}

/// Waits until `count` messages are listed, and returns the list.
async fn listed(platform: &Platform, count: usize) -> Vec<Value> {
    let listed = async || {
        let page = platform.get(&format!("{LIST}?limit=200")).await;
        let rows = page["data"].as_array().expect("a list").clone();
        (rows.len() == count).then_some(rows)
    };
    let what = format!("{count} messages are listed");
    platform.world.eventually(&what, listed).await
}

fn path_of(message: &Value) -> String {
    format!("{LIST}/{}", message["id"].as_str().expect("an id"))
}

async fn requeue(platform: &Platform, message: &Value) -> u16 {
    let path = format!("{}/requeue", path_of(message));
    platform.ask(Method::POST, &path, None).await.0.as_u16()
}

/// Requeues all messages under a filter, and returns the status and the counts.
async fn requeue_all(platform: &Platform, filter: Value) -> (u16, Value) {
    let (status, answer) = platform.post(&format!("{LIST}/requeue"), &filter).await;
    (status.as_u16(), answer)
}

/// Discards all messages under a filter, and returns the number.
async fn discard(platform: &Platform, filter: Value) -> i64 {
    let (status, answer) = platform.post(&format!("{LIST}/discard"), &filter).await;
    assert_eq!(status, 200, "{answer}");
    answer["discarded"].as_i64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_message_is_listed_with_its_reason_and_read_byte_for_byte() {
    let platform = Platform::new().await;

    publish(&platform, &[b"\x00\xff no text", b"{\"type\": \"x\"}"]).await;
    let rows = listed(&platform, 2).await;
    let json = platform.get(&path_of(&rows[0])).await;
    let binary = platform.get(&path_of(&rows[1])).await;

    let reason = json["reason"].as_str().expect("a reason");
    assert!(reason.contains("type:"), "{reason}");
    assert!(reason.contains("id:"), "{reason}");
    assert_fields(
        &json,
        &json!({"body": "{\"type\": \"x\"}", "exchange": "webhooks.events",
            "routing_key": "production.product.created"}),
    );
    assert_fields(
        &binary,
        &json!({"body": null, "body_base64": "AP8gbm8gdGV4dA==", "body_bytes": 10}),
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_an_event_is_delivered_when_it_is_requeued() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;
    let event = event(Environment::Production, EventType::LicenseActivated);

    platform.world.broker.put_rejected(&text_of(&event)).await;
    let message = listed(&platform, 1).await.remove(0);
    let status = requeue(&platform, &message).await;
    let requests = receiver.arrived(1).await;

    assert_eq!(status, 204);
    assert_eq!(requests[0].body, event.body);
    assert!(listed(&platform, 0).await.is_empty());
    let entries = platform
        .get("/api/v1/audit?action=rejected_message.requeued")
        .await;
    assert_eq!(entries["data"][0]["subject"], message["id"]);
    assert_eq!(requeue(&platform, &message).await, 404);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requeued_message_that_is_still_wrong_comes_back_with_the_same_origin() {
    let platform = Platform::new().await;
    publish(&platform, &[b"no event"]).await;
    let first = listed(&platform, 1).await.remove(0);

    let status = requeue(&platform, &first).await;
    let again = async || {
        let page = platform.get(LIST).await;
        let newest = page["data"][0].clone();
        (newest["id"].is_string() && newest["id"] != first["id"]).then_some(newest)
    };
    let world = &platform.world;
    let second = world.eventually("the message comes back", again).await;

    assert_eq!(status, 204);
    for field in ["reason", "exchange", "routing_key", "body_bytes"] {
        assert_eq!(second[field], first[field]);
    }
    assert_eq!(platform.get(&path_of(&second)).await["body"], "no event");
    assert_eq!(listed(&platform, 1).await.len(), 1);
    platform.end().await;
}

/// A platform with seven rejected messages: five events for a webhook, and two other messages. The
/// webhook's receiver, and the list.
async fn with_five_good_of_seven() -> (Platform, Receiver, Vec<Value>) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;
    for _ in 0..5 {
        let event = event(Environment::Production, EventType::LicenseActivated);
        platform.world.broker.put_rejected(&text_of(&event)).await;
    }
    publish(&platform, &[b"wrong", b"wronger"]).await;
    let messages = listed(&platform, 7).await;
    (platform, receiver, messages)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_the_messages_to_requeue_and_requeues_none() {
    let (platform, receiver, before) = with_five_good_of_seven().await;

    let (_, counted) = requeue_all(&platform, json!({"dry_run": true})).await;

    assert_fields(&counted, &json!({"requeued": 7, "remaining": 0}));
    assert_eq!(listed(&platform, 7).await, before);
    assert_eq!(receiver.count(), 0);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_messages_are_requeued_once_although_some_are_rejected_again() {
    let (platform, receiver, before) = with_five_good_of_seven().await;

    let (status, done) = requeue_all(&platform, json!({})).await;
    receiver.arrived(5).await;
    let after = listed(&platform, 2).await;
    let (_, again) = requeue_all(&platform, json!({"until": done["until"]})).await;

    assert_eq!((status, &done["requeued"]), (200, &json!(7)));
    assert_eq!(receiver.bodies().len(), 5);
    assert!(after.iter().all(|message| !before.contains(message)));
    assert_eq!(again["requeued"], 0);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_message_is_discarded_once() {
    let platform = Platform::new().await;
    publish(&platform, &[b"a", b"b"]).await;
    let rows = listed(&platform, 2).await;
    let path = path_of(&rows[1]);

    let (gone, _) = platform.ask(Method::DELETE, &path, None).await;
    let (again, _) = platform.ask(Method::DELETE, &path, None).await;

    assert_eq!((gone.as_u16(), again.as_u16()), (204, 404));
    assert_eq!(listed(&platform, 1).await, rows[..1]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_messages_that_a_filter_finds_are_counted_and_discarded() {
    let platform = Platform::new().await;
    publish(&platform, &[b"b", b"{\"id\":1}", b"{\"id\":2}"]).await;
    let rows = listed(&platform, 3).await;
    let newest = &rows[0]["rejected_at"];

    let by_reason = json!({"search": "TYPE: IS REQUIRED", "dry_run": true});
    let counted = discard(&platform, by_reason).await;
    let none = discard(&platform, json!({"search": "100%"})).await;
    let older = discard(&platform, json!({"until": newest})).await;
    let rest = discard(&platform, json!({"since": newest})).await;

    assert_eq!((counted, none), (2, 0));
    assert_eq!(older + rest, 3);
    assert!(listed(&platform, 0).await.is_empty());
    let audit = "/api/v1/audit?action=rejected_messages.discarded";
    let audit = platform.get(audit).await;
    assert_eq!(audit["data"][0]["before"]["count"], rest);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_through_all_messages_newest_first() {
    let platform = Platform::new().await;
    publish(&platform, &[b"1", b"2", b"3", b"4", b"5"]).await;
    let all = listed(&platform, 5).await;

    let pages = platform.pages(&format!("{LIST}?limit=2")).await;

    let on_pages = pages.iter().filter_map(|page| page["data"].as_array());
    let on_pages: Vec<Value> = on_pages.flatten().cloned().collect();
    assert_eq!(on_pages, all);
    let newest = platform.get(&path_of(&all[0])).await;
    assert_eq!(newest["body"], "5");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_body_is_too_large_keeps_its_start_and_cannot_be_requeued() {
    let platform = Platform::new().await;
    let large = vec![b'x'; 400_000];

    publish(&platform, &[&large]).await;
    let message = listed(&platform, 1).await.remove(0);
    let found = platform.get(&path_of(&message)).await;
    let one = requeue(&platform, &message).await;
    let (_, all) = requeue_all(&platform, json!({})).await;

    assert_eq!(found["body"].as_str().map(str::len), Some(262_144));
    let size = json!({"body_bytes": 400_000, "body_truncated": true});
    assert_fields(&found, &size);
    assert_eq!(one, 409);
    assert_fields(&all, &json!({"requeued": 0, "remaining": 1}));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_broker_no_message_is_requeued_or_lost() {
    let (platform, proxy) = Platform::behind_proxy().await;
    publish(&platform, &[b"wrong"]).await;
    let before = listed(&platform, 1).await;

    proxy.silence();
    let one = requeue(&platform, &before[0]).await;
    let (all, _) = requeue_all(&platform, json!({})).await;

    assert_eq!((one, all), (503, 503));
    assert_eq!(listed(&platform, 1).await, before);
    platform.end().await;
}

/// Renames a table.
async fn rename(platform: &Platform, from: &str, to: &str) {
    let sql = format!("ALTER TABLE {from} RENAME TO {to}");
    platform.world.database.execute(&sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_message_that_postgres_cannot_store_stays_with_the_broker() {
    let platform = Platform::new().await;
    rename(&platform, "rejected_messages", "away").await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;

    publish(&platform, &[b"1", b"2", b"3"]).await;
    // Events are delivered meanwhile.
    platform.next_request(&receiver).await;
    rename(&platform, "away", "rejected_messages").await;
    let rows = listed(&platform, 3).await;

    let newest = platform.get(&path_of(&rows[0])).await;
    assert_eq!(newest["body"], "3");
    platform.end().await;
}

/// Publishes messages other than events, and waits for the broker's confirms.
async fn publish_all(platform: &Platform, bodies: &[Vec<u8>]) {
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let sample = event(Environment::Production, EventType::ProductCreated);
    let messages = bodies.iter().map(|body| Event {
        body: body.clone().into(),
        ..sample.clone()
    });
    let messages: Vec<Event> = messages.collect();
    let confirmed = publisher.publish_all(&messages).await;
    assert!(confirmed.iter().all(Result::is_ok));
    cancel.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_dispatcher_loses_no_rejected_message() {
    let mut platform = Platform::new().await;
    let bodies: Vec<Vec<u8>> = (0..1_000).map(|n| format!("wrong {n}").into()).collect();

    publish_all(&platform, &bodies).await;
    let some = async || (platform.world.database.set_aside().await > 100).then_some(());
    platform.world.eventually("some are set aside", some).await;
    platform.dispatcher.kill().await;
    let before = platform.world.database.set_aside().await;
    platform.dispatcher = Service::dispatcher(&platform.world);

    let (world, database) = (&platform.world, &platform.world.database);
    let distinct = "SELECT count(DISTINCT body) FROM rejected_messages";
    let distinct = || database.ask(distinct);
    world.becomes("distinct bodies", 1_000, distinct).await;
    assert!(before < 1_000, "the kill came after the last message");
    let rejected = database.rejected().await.into_iter();
    let kept: HashSet<Vec<u8>> = rejected.map(|(_, body)| body).collect();
    assert_eq!(kept, bodies.into_iter().collect());
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reads_rejected_messages_and_may_not_requeue_or_discard_them() {
    let mut platform = Platform::new().await;
    publish(&platform, &[b"wrong"]).await;
    let message = listed(&platform, 1).await.remove(0);
    platform.key = Service::new_key(&platform.world, "viewer").await;

    let found = platform.get(&path_of(&message)).await;
    let requeued = requeue(&platform, &message).await;
    let (discarded, _) = platform.ask(Method::DELETE, &path_of(&message), None).await;
    let requeue_all = format!("{LIST}/requeue");
    let (all_requeued, _) = platform.post(&requeue_all, &json!({})).await;
    let discard_all = format!("{LIST}/discard");
    let (all_discarded, _) = platform.post(&discard_all, &json!({})).await;

    assert_eq!(found["body"], "wrong");
    assert_eq!((requeued, discarded.as_u16()), (403, 403));
    assert_eq!((all_requeued.as_u16(), all_discarded.as_u16()), (403, 403));
    platform.end().await;
}
