//! Webhooks set Inactive while events flow: explanations agree with deliveries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tokio::task::JoinHandle;
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{CreatedWebhook, Platform, Receiver};

use crate::events::explain;

const WEBHOOKS: usize = 50;

/// Publishes events in the background until `stop` is set. The task ends with the events' ids.
fn flow(platform: &Arc<Platform>, stop: &Arc<AtomicBool>) -> JoinHandle<Vec<EventId>> {
    let (platform, stop) = (platform.clone(), stop.clone());
    tokio::spawn(async move {
        let mut events = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let event = platform.publish(Environment::Production, EventType::LicenseCreated);
            events.push(event.await);
        }
        events
    })
}

/// The webhooks with a delivery of an event, by the explanation and by the deliveries.
async fn explained_and_owed(platform: &Platform, event: EventId) -> (Vec<String>, Vec<String>) {
    let explained = explain(platform, event, "").await;
    assert_eq!(explained["counts"]["not_kept"], 0, "{explained}");
    let list = explained["data"].as_array().expect("a list").iter();
    let is_owed = |webhook: &&Value| webhook["outcome"] != "inactive";
    let mut owed: Vec<String> = list
        .filter(is_owed)
        .filter_map(|webhook| webhook["webhook_id"].as_str().map(str::to_owned))
        .collect();
    owed.sort();
    let sql = format!(
        "SELECT coalesce(array_agg(webhook_id::text ORDER BY webhook_id), '{{}}')
         FROM deliveries WHERE event_id = '{event}'"
    );
    (owed, platform.world.database.ask(&sql).await)
}

/// Creates webhooks for the flowing events.
async fn create_all(platform: &Platform, receiver: &Receiver) -> Vec<CreatedWebhook> {
    let mut webhooks = Vec::new();
    for _ in 0..WEBHOOKS {
        let webhook = platform.webhook_to(receiver).types(&["license.*"]);
        webhooks.push(webhook.create().await);
    }
    webhooks
}

#[tokio::test(flavor = "multi_thread")]
async fn explanations_agree_with_deliveries_while_webhooks_are_set_inactive() {
    let platform = Arc::new(Platform::new().await);
    let receiver = Receiver::answering(&[]).await;
    let webhooks = create_all(&platform, &receiver).await;
    let stop = Arc::new(AtomicBool::new(false));
    let flowing = flow(&platform, &stop);

    for webhook in &webhooks {
        platform.set_status(webhook, "inactive").await;
    }
    stop.store(true, Ordering::Relaxed);
    let events = flowing.await.expect("publishing does not panic");

    assert!(events.len() > 10, "{} events flowed", events.len());
    for event in events {
        platform.taken_in(event).await;
        let (explained, owed) = explained_and_owed(&platform, event).await;
        assert_eq!(explained, owed, "{event}");
    }
    let platform = Arc::into_inner(platform).expect("the publishing task has ended");
    platform.end().await;
}
