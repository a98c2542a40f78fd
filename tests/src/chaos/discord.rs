//! Discord's limits: a burst at the pace of the format, and a Discord that refuses every request for a while.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{CreatedWebhook, FakeDiscord, Platform};

/// The account of some events for a Discord webhook.
#[derive(Debug)]
pub struct DiscordAccount {
    /// The published events.
    pub events: usize,
    /// The messages in the channel at the end.
    pub messages: usize,
    /// The responses with 401, 403 or 429, which Discord counts against the sender's address.
    pub invalid_requests: usize,
    /// From the first event until the last message.
    pub lasted: Duration,
    /// The deliveries that succeeded.
    pub succeeded: usize,
    /// The state of the webhook's circuit at the end.
    pub circuit: String,
}

/// Publishes a burst of events for a webhook with the pace of the format, at a Discord with Discord's limits.
pub async fn discord_burst(platform: &Platform, events: usize) -> DiscordAccount {
    let discord = FakeDiscord::start().await;
    let webhook = platform.webhook("Burst").at(&discord.url());
    let webhook = webhook.with(&json!({"format": "discord"})).create().await;
    deliver(platform, &discord, &webhook, events).await
}

/// Publishes two events while Discord answers every request with 429 and half a second, which does not help
/// before the end of `span`. The policy has two attempts: a 429 with a cost would use up both.
pub async fn discord_that_refuses(platform: &Platform, span: Duration) -> DiscordAccount {
    let discord = FakeDiscord::start().await;
    discord.always_429_for(span);
    let webhook = platform.webhook("Refused").at(&discord.url());
    let webhook = webhook.retrying_every(300_000, 2);
    let fast = json!({"format": "discord", "rate_limit": 100});
    let webhook = webhook.with(&fast).create().await;
    deliver(platform, &discord, &webhook, 2).await
}

async fn deliver(
    platform: &Platform,
    discord: &FakeDiscord,
    webhook: &CreatedWebhook,
    events: usize,
) -> DiscordAccount {
    let began = Instant::now();
    for _ in 0..events {
        platform.publish_fresh().await;
    }
    let path = format!(
        "/api/v1/deliveries?status=succeeded&limit=200&webhook_id={}",
        webhook.id
    );
    let succeeded = async || {
        let listed = platform.get(&path).await;
        let count = listed["data"].as_array().map_or(0, Vec::len);
        (count == events).then_some(count)
    };
    let succeeded = platform
        .world
        .patiently("all deliveries succeed", succeeded)
        .await;
    let read: Value = platform.get(&webhook.path).await;
    DiscordAccount {
        events,
        messages: discord.messages().len(),
        invalid_requests: discord.invalid_requests(),
        lasted: began.elapsed(),
        succeeded,
        circuit: read["circuit"]["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    }
}
