//! Messages that cannot be an event: kept, shown, requeued after a fix, discarded.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use webhook_domain::{Environment, Event, EventType};
use webhook_tests::{Platform, Proxy, Receiver, Service, World, event};

const LIST: &str = "/api/v1/rejected-messages";

fn text(event: &Event) -> String {
    String::from_utf8(event.body.to_vec()).expect("text")
}

/// Publishes these bodies to the exchange, as a platform service would.
async fn publish(platform: &Platform, bodies: &[&[u8]]) {
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let mut wrong = event(Environment::Production, EventType::ProductCreated);
    for body in bodies {
        wrong.body = body.to_vec().into();
        publisher.publish(&wrong).await.expect("it is confirmed");
    }
    cancel.cancel();
}

/// Waits until `count` messages are listed, and tells them.
async fn listed(platform: &Platform, count: usize) -> Vec<Value> {
    let listed = async || {
        let page = platform.get(&format!("{LIST}?limit=200")).await;
        let rows = page["data"].as_array().expect("a list").clone();
        (rows.len() == count).then_some(rows)
    };
    platform.world.eventually("they are listed", listed).await
}

fn path_of(message: &Value) -> String {
    format!("{LIST}/{}", message["id"].as_str().expect("an id"))
}

async fn requeue(platform: &Platform, message: &Value) -> u16 {
    let path = format!("{}/requeue", path_of(message));
    platform.ask(Method::POST, &path, None).await.0.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_message_is_listed_with_its_reason_and_read_byte_for_byte() {
    let platform = Platform::new().await;

    publish(&platform, &[b"\x00\xff no text", b"{\"type\": \"x\"}"]).await;
    let rows = listed(&platform, 2).await;
    let json = platform.get(&path_of(&rows[0])).await;
    let binary = platform.get(&path_of(&rows[1])).await;

    let reason = json["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("type:") && reason.contains("id:"),
        "{reason}"
    );
    assert_eq!(json["body"], "{\"type\": \"x\"}");
    assert_eq!(json["exchange"], "webhooks.events");
    assert_eq!(json["routing_key"], "production.product.created");
    assert_eq!(binary["body"], Value::Null);
    assert_eq!(binary["body_base64"], "AP8gbm8gdGV4dA==");
    assert_eq!(binary["body_bytes"], 10);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_an_event_is_delivered_when_it_is_requeued() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    let event = event(Environment::Production, EventType::LicenseActivated);

    platform.world.broker.put_rejected(&text(&event)).await;
    let message = listed(&platform, 1).await.remove(0);
    let status = requeue(&platform, &message).await;
    let arrived = async || receiver.has(&event.body).then_some(());
    platform.world.eventually("it is delivered", arrived).await;

    assert_eq!(status, 204);
    assert!(listed(&platform, 0).await.is_empty());
    let entries = platform
        .get("/api/v1/audit?action=rejected_message.requeued")
        .await;
    assert_eq!(entries["data"][0]["subject"], message["id"]);
    assert_eq!(requeue(&platform, &message).await, 404);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_wrong_comes_back_as_another_message_and_keeps_its_origin() {
    let platform = Platform::new().await;
    publish(&platform, &[b"no event"]).await;
    let first = listed(&platform, 1).await.remove(0);

    let status = requeue(&platform, &first).await;
    let again = async || {
        let page = platform.get(LIST).await;
        let newest = page["data"][0].clone();
        (newest["id"].is_string() && newest["id"] != first["id"]).then_some(newest)
    };
    let second = platform.world.eventually("it comes back", again).await;

    assert_eq!(status, 204);
    for field in ["reason", "exchange", "routing_key", "body_bytes"] {
        assert_eq!(second[field], first[field]);
    }
    assert_eq!(platform.get(&path_of(&second)).await["body"], "no event");
    assert_eq!(listed(&platform, 1).await.len(), 1);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_requeued_once_although_some_are_rejected_again() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    let events = [(); 5].map(|()| event(Environment::Production, EventType::LicenseActivated));
    for event in &events {
        platform.world.broker.put_rejected(&text(event)).await;
    }
    publish(&platform, &[b"wrong", b"wronger"]).await;
    let before = listed(&platform, 7).await;

    let path = format!("{LIST}/requeue");
    let (_, dry) = platform.post(&path, &json!({"dry_run": true})).await;
    let still_there = listed(&platform, 7).await;
    let (status, done) = platform.post(&path, &json!({})).await;
    let arrived = async || (receiver.bodies().len() == 5).then_some(());
    platform
        .world
        .eventually("they are delivered", arrived)
        .await;
    let after = listed(&platform, 2).await;

    assert_eq!(
        (&dry["requeued"], &dry["remaining"]),
        (&json!(7), &json!(0))
    );
    assert_eq!(still_there, before);
    assert_eq!((status.as_u16(), &done["requeued"]), (200, &json!(7)));
    assert!(after.iter().all(|message| !before.contains(message)));
    let (_, again) = platform.post(&path, &json!({"until": done["until"]})).await;
    assert_eq!(again["requeued"], 0);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_or_all_that_a_filter_finds_are_discarded() {
    let platform = Platform::new().await;
    publish(&platform, &[b"a", b"b", b"{\"id\":1}", b"{\"id\":2}"]).await;
    let rows = listed(&platform, 4).await;
    let newest = rows[0]["rejected_at"].as_str().expect("a time");

    let (gone, _) = platform.ask(Method::DELETE, &path_of(&rows[3]), None).await;
    let (again, _) = platform.ask(Method::DELETE, &path_of(&rows[3]), None).await;
    let path = format!("{LIST}/discard");
    let fields = json!({"search": "TYPE: IS REQUIRED", "dry_run": true});
    let (_, dry) = platform.post(&path, &fields).await;
    let (_, none) = platform.post(&path, &json!({"search": "100%"})).await;
    let (_, older) = platform.post(&path, &json!({"until": newest})).await;
    let (_, rest) = platform.post(&path, &json!({"since": newest})).await;

    assert_eq!((gone.as_u16(), again.as_u16()), (204, 404));
    assert_eq!(
        (&dry["discarded"], &none["discarded"]),
        (&json!(2), &json!(0))
    );
    let sum = older["discarded"].as_i64().zip(rest["discarded"].as_i64());
    assert_eq!(sum.map(|(older, rest)| older + rest), Some(3));
    assert!(listed(&platform, 0).await.is_empty());
    let audit = platform
        .get("/api/v1/audit?action=rejected_messages.discarded")
        .await;
    assert_eq!(audit["data"][0]["before"]["count"], rest["discarded"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_through_all_messages_newest_first() {
    let platform = Platform::new().await;
    publish(&platform, &[b"1", b"2", b"3", b"4", b"5"]).await;
    let all = listed(&platform, 5).await;

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = platform.get(&format!("{LIST}?limit=2{cursor}")).await;
        seen.extend(page["data"].as_array().expect("a list").clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }

    assert_eq!(seen, all);
    let newest = platform.get(&path_of(&all[0])).await;
    assert_eq!(newest["body"], "5");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_body_that_is_too_large_the_start_is_kept_and_cannot_be_requeued() {
    let platform = Platform::new().await;
    let large = vec![b'x'; 400_000];

    publish(&platform, &[&large]).await;
    let message = listed(&platform, 1).await.remove(0);
    let found = platform.get(&path_of(&message)).await;
    let one = requeue(&platform, &message).await;
    let (_, all) = platform.post(&format!("{LIST}/requeue"), &json!({})).await;

    assert_eq!(found["body"].as_str().map(str::len), Some(262_144));
    assert_eq!(
        (&found["body_bytes"], &found["body_truncated"]),
        (&json!(400_000), &json!(true))
    );
    assert_eq!(one, 409);
    assert_eq!(
        (&all["requeued"], &all["remaining"]),
        (&json!(0), &json!(1))
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_broker_nothing_is_requeued_and_nothing_goes() {
    let world = World::new().await;
    let mut amqp_url: url::Url = world.broker.url.parse().expect("a URL");
    let proxy = Proxy::to(amqp_url.port().unwrap_or(5672)).await;
    amqp_url.set_port(Some(proxy.port)).expect("a port");
    let platform = Platform::with_broker(world, amqp_url.as_str()).await;
    publish(&platform, &[b"wrong"]).await;
    let before = listed(&platform, 1).await;

    proxy.silence();
    let one = requeue(&platform, &before[0]).await;
    let (all, _) = platform.post(&format!("{LIST}/requeue"), &json!({})).await;

    assert_eq!((one, all.as_u16()), (503, 503));
    assert_eq!(listed(&platform, 1).await, before);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_down_stays_with_the_broker() {
    let platform = Platform::new().await;
    let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
    platform
        .world
        .database
        .execute(&rename("rejected_messages", "away"))
        .await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;

    publish(&platform, &[b"1", b"2", b"3"]).await;
    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    let arrived = async || (receiver.count() == 1).then_some(());
    platform
        .world
        .eventually("an event goes on its way", arrived)
        .await;
    platform
        .world
        .database
        .execute(&rename("away", "rejected_messages"))
        .await;
    let rows = listed(&platform, 3).await;

    let newest = platform.get(&path_of(&rows[0])).await;
    assert_eq!(newest["body"], "3");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_dispatcher_loses_no_rejected_message() {
    let mut platform = Platform::new().await;
    let bodies: Vec<Vec<u8>> = (0..1_000).map(|n| format!("wrong {n}").into()).collect();
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let mut wrong = event(Environment::Production, EventType::ProductCreated);
    let messages = bodies.iter().map(|body| {
        wrong.body = body.clone().into();
        wrong.clone()
    });

    let confirmed = publisher.publish_all(&messages.collect::<Vec<_>>()).await;
    let some = async || (platform.world.database.set_aside().await > 100).then_some(());
    platform
        .world
        .eventually("some are written down", some)
        .await;
    platform.dispatcher.kill().await;
    let before = platform.world.database.set_aside().await;
    platform.dispatcher = Service::dispatcher(&platform.world);
    let distinct = "SELECT count(DISTINCT body) FROM rejected_messages";
    let all = async || (platform.world.database.ask::<i64>(distinct).await == 1_000).then_some(());
    platform.world.eventually("all are written down", all).await;

    assert!(confirmed.iter().all(Result::is_ok));
    assert!(before < 1_000, "the kill came too late to prove anything");
    let rejected = platform.world.database.rejected().await.into_iter();
    let kept: HashSet<Vec<u8>> = rejected.map(|(_, body)| body).collect();
    assert_eq!(kept, bodies.into_iter().collect());
    cancel.cancel();
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_may_read_rejected_messages_and_not_touch_them() {
    let mut platform = Platform::new().await;
    publish(&platform, &[b"wrong"]).await;
    let message = listed(&platform, 1).await.remove(0);
    platform.key = Service::new_key(&platform.world, "viewer").await;

    let found = platform.get(&path_of(&message)).await;
    let requeued = requeue(&platform, &message).await;
    let (discarded, _) = platform.ask(Method::DELETE, &path_of(&message), None).await;
    let mut all = Vec::new();
    for verb in ["requeue", "discard"] {
        let (status, _) = platform.post(&format!("{LIST}/{verb}"), &json!({})).await;
        all.push(status.as_u16());
    }

    assert_eq!(found["body"], "wrong");
    assert_eq!((requeued, discarded.as_u16()), (403, 403));
    assert_eq!(all, [403, 403]);
    platform.end().await;
}
