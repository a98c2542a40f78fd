//! Discord's global limit, which the answer to one webhook tells for all of them.

use std::time::Instant;

use super::*;

/// How long Discord refuses all requests of the sender.
const REFUSES_FOR: Duration = Duration::from_secs(3);

/// A webhook of staging with a format.
async fn in_staging(platform: &Platform, format: &str, url: &str) -> CreatedWebhook {
    let webhook = in_format(platform, format, url).environment("staging");
    webhook.create().await
}

/// Lets a Discord webhook of production meet the global limit. Returns when Discord has told of the limit.
async fn meet_the_limit(platform: &Platform) -> (FakeDiscord, Instant) {
    let discord = FakeDiscord::start().await;
    chat_webhook(platform, "discord", &discord.url()).await;
    discord.globally_429_for(REFUSES_FOR);
    platform.publish_fresh().await;
    let told = async || discord.statuses().contains(&429);
    platform.until("Discord tells of the limit", told).await;
    (discord, Instant::now())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_global_limit_of_one_discord_webhook_holds_every_other_one_and_no_json_webhook() {
    let (platform, other) = (Platform::new().await, FakeDiscord::start().await);
    let receiver = Receiver::answering(&[]).await;
    let discord = in_staging(&platform, "discord", &other.url()).await;
    let json = in_staging(&platform, "json", &receiver.url).await;

    let (limited, told_at) = meet_the_limit(&platform).await;
    platform
        .publish(Environment::Staging, EventType::LicenseActivated)
        .await;
    let arrives = async || receiver.count() == 1;
    platform
        .until("the JSON webhook gets the event", arrives)
        .await;
    // The hold is recorded behind the attempt that met the limit.
    let is_held = async || platform.get(&discord.path).await["held_until"].is_string();
    platform.until("the other webhook is held", is_held).await;
    let free = platform.get(&json.path).await["held_until"].clone();
    let requests_meanwhile = other.requests().len();

    other.arrived(1).await;
    limited.arrived(1).await;
    assert!(free.is_null(), "{free}");
    assert_eq!(requests_meanwhile, 0);
    let waited = other.requests()[0].at - told_at;
    assert!(waited > REFUSES_FOR / 2, "{waited:?}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_global_limit_costs_no_attempt() {
    let (platform, other) = (Platform::new().await, FakeDiscord::start().await);
    let discord = in_staging(&platform, "discord", &other.url()).await;

    let (limited, _) = meet_the_limit(&platform).await;
    for _ in 0..3 {
        platform
            .publish(Environment::Staging, EventType::LicenseActivated)
            .await;
    }
    other.arrived(3).await;
    limited.arrived(1).await;

    platform.deliveries_become("succeeded", 4).await;
    let path = format!("/api/v1/deliveries?webhook_id={}", discord.id);
    let deliveries = platform.get(&path).await;
    let deliveries = deliveries["data"].as_array().expect("a list");
    let attempts: Vec<&Value> = deliveries.iter().map(|one| &one["attempt_count"]).collect();
    assert_eq!(attempts, [&json!(1); 3]);
    assert_eq!(other.invalid_requests(), 0);
    platform.end().await;
}
