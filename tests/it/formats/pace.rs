//! The pace of chat services: bursts without a 429, and a 429 without cost.

use webhook_tests::chaos::{discord_burst, discord_that_refuses};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_waits_for_discords_window_and_gets_no_429() {
    let (platform, discord) = (Platform::new().await, FakeDiscord::start().await);
    // Faster than Discord's window of 5 messages in 2 s: only the headers of the answers slow the lane.
    let fast = in_format(&platform, "discord", &discord.url()).with(&json!({"rate_limit": 100}));
    fast.create().await;

    for _ in 0..12 {
        platform.publish_fresh().await;
    }
    discord.arrived(12).await;

    assert_eq!(discord.invalid_requests(), 0, "{:?}", discord.statuses());
    platform.end().await;
}

/// `./dev chaos discord` runs the same code with 40 events, which take a minute and a half.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_at_discords_pace_gets_no_429() {
    let platform = Platform::new().await;

    let account = discord_burst(&platform, 6).await;

    assert_eq!(
        (account.messages, account.invalid_requests),
        (6, 0),
        "{account:?}"
    );
    platform.end().await;
}

/// `./dev chaos discord` runs the same code for a minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_discord_that_answers_429_for_seconds_costs_no_attempt() {
    let platform = Platform::new().await;

    let account = discord_that_refuses(&platform, Duration::from_secs(3)).await;

    assert_eq!((account.messages, account.succeeded), (2, 2), "{account:?}");
    assert!(account.invalid_requests > 2, "{account:?}");
    assert_eq!(account.circuit, "closed");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_gets_a_burst_of_three_and_then_a_message_a_second() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    chat_webhook(&platform, "slack", &slack.url()).await;

    for _ in 0..6 {
        platform.publish_fresh().await;
    }
    slack.arrived(6).await;

    assert!(!slack.statuses().contains(&429), "{:?}", slack.statuses());
    let requests = slack.requests();
    let span = requests[5].at - requests[0].at;
    assert!(span >= Duration::from_millis(2_500), "{span:?}");
    platform.end().await;
}
