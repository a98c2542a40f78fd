//! Discord's global limit, which the answer to one webhook tells for all of them.

use std::net::Ipv4Addr;
use std::time::Instant;

use webhook_tests::{DnsEntry, NameServer};

use super::*;

/// How long Discord refuses all requests of the sender.
const REFUSES_FOR: Duration = Duration::from_secs(3);

/// A webhook of staging with a format.
async fn in_staging(platform: &Platform, format: &str, url: &str) -> CreatedWebhook {
    let webhook = in_format(platform, format, url).environment("staging");
    webhook.create().await
}

/// A platform whose dispatcher finds Discord's host on this machine.
async fn platform_with_discord() -> (Platform, NameServer) {
    let names = NameServer::start().await;
    names.set("discord.com", DnsEntry::at([Ipv4Addr::LOCALHOST]));
    let address = names.address.to_string();
    let platform = Platform::with_dispatcher(&[("DNS_SERVERS", &address)]).await;
    (platform, names)
}

/// The URL of a fake at Discord's host.
fn at_discord(fake: &FakeDiscord) -> String {
    fake.url().replace("127.0.0.1", "discord.com")
}

/// Lets a Discord webhook of production at a URL meet the global limit. Returns when the receiver has told of the
/// limit.
async fn meet_the_limit(
    platform: &Platform,
    url: fn(&FakeDiscord) -> String,
) -> (FakeDiscord, Instant) {
    let discord = FakeDiscord::start().await;
    chat_webhook(platform, "discord", &url(&discord)).await;
    discord.globally_429_for(REFUSES_FOR);
    platform.publish_fresh().await;
    let told = async || discord.statuses().contains(&429);
    platform.until("Discord tells of the limit", told).await;
    (discord, Instant::now())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_global_limit_of_one_discord_webhook_holds_every_other_one_and_no_json_webhook() {
    let (platform, _names) = platform_with_discord().await;
    let other = FakeDiscord::start().await;
    let receiver = Receiver::answering(&[]).await;
    let discord = in_staging(&platform, "discord", &at_discord(&other)).await;
    let json = in_staging(&platform, "json", &receiver.url).await;

    let (limited, told_at) = meet_the_limit(&platform, at_discord).await;
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
    let (platform, _names) = platform_with_discord().await;
    let other = FakeDiscord::start().await;
    let discord = in_staging(&platform, "discord", &at_discord(&other)).await;

    let (limited, _) = meet_the_limit(&platform, at_discord).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn the_word_of_another_host_holds_its_own_webhook_only() {
    let (platform, _names) = platform_with_discord().await;
    let other = FakeDiscord::start().await;
    in_staging(&platform, "discord", &at_discord(&other)).await;

    let (stranger, _) = meet_the_limit(&platform, FakeDiscord::url).await;
    platform
        .publish(Environment::Staging, EventType::LicenseActivated)
        .await;
    other.arrived(1).await;

    let meanwhile = stranger.statuses();
    assert!(!meanwhile.contains(&204), "{meanwhile:?}");
    stranger.arrived(1).await;
    platform.end().await;
}
