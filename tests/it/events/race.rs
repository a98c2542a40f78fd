//! Webhooks set Inactive while events flow: what is told agrees with what was done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{Platform, Receiver};

use crate::events::{create, explain, patch};

const WEBHOOKS: usize = 50;

/// Publishes until it is told to stop, and tells what.
async fn flow(platform: &Platform, stop: &AtomicBool) -> Vec<EventId> {
    let mut events = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let event = platform.publish(Environment::Production, EventType::LicenseCreated);
        events.push(event.await);
    }
    events
}

/// The webhooks that were owed an event, by what is told and by what is there.
async fn told_and_owed(platform: &Platform, event: EventId) -> (Vec<String>, Vec<String>) {
    let explained = explain(platform, event, "").await;
    assert_eq!(explained["counts"]["not_kept"], 0, "{explained}");
    let list = explained["data"].as_array().expect("a list").iter();
    let is_owed = |webhook: &&Value| webhook["outcome"] != "inactive";
    let mut told: Vec<String> = list
        .filter(is_owed)
        .filter_map(|webhook| webhook["webhook_id"].as_str().map(str::to_owned))
        .collect();
    told.sort();
    let sql = format!(
        "SELECT coalesce(array_agg(webhook_id::text ORDER BY webhook_id), '{{}}')
         FROM deliveries WHERE event_id = '{event}'"
    );
    (told, platform.world.database.ask(&sql).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_agrees_with_what_was_owed_while_webhooks_are_set_inactive() {
    let platform = Arc::new(Platform::new().await);
    let receiver = Receiver::answering(&[]).await;
    let mut ids = Vec::new();
    for number in 0..WEBHOOKS {
        let name = number.to_string();
        ids.push(
            create(
                &platform,
                &name,
                "production",
                &["license.*"],
                &receiver.url,
            )
            .await,
        );
    }
    let stop = Arc::new(AtomicBool::new(false));
    let flowing = tokio::spawn({
        let (platform, stop) = (platform.clone(), stop.clone());
        async move { flow(&platform, &stop).await }
    });

    for id in &ids {
        patch(&platform, id, &json!({"status": "inactive"})).await;
    }
    stop.store(true, Ordering::Relaxed);
    let events = flowing.await.expect("no panic");

    assert!(events.len() > 10, "{} events flowed", events.len());
    for event in events {
        platform.taken_in(event).await;
        let (told, owed) = told_and_owed(&platform, event).await;
        assert_eq!(told, owed, "{event}");
    }
    let platform = Arc::into_inner(platform).expect("nobody else has it");
    platform.end().await;
}
