use std::time::Duration;

use webhook_tests::StrangersMessage;

use super::{arrive, good, logged, platform, reason, rejected};

/// An object of `count` fields unknown to events.
fn fields(count: usize, name: &str) -> StrangersMessage {
    let fields: Vec<String> = (0..count).map(|n| format!("\"{name}{n}\":0")).collect();
    StrangersMessage::event(format!("{{{}}}", fields.join(",")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_1100_unknown_fields_is_rejected_once_and_its_neighbours_are_delivered() {
    let (platform, receiver, stranger) = platform().await;
    let (before, messages_before) = good(100);
    let (after, messages_after) = good(100);

    stranger.publish_all(&messages_before).await;
    stranger.publish_all(&[fields(1_100, "field ")]).await;
    stranger.publish_all(&messages_after).await;

    let soon = Duration::from_secs(2);
    arrive(&platform, &receiver, &[before, after].concat(), soon).await;
    let rows = rejected(&platform, 1).await;
    assert!(reason(&rows[0]).contains("… and 1,085 more"), "{}", rows[0]);
    assert!(reason(&rows[0]).chars().count() <= 2_000);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarter_of_a_mebibyte_of_unknown_fields_is_rejected_like_any_other() {
    let (platform, receiver, stranger) = platform().await;
    let (events, messages) = good(20);

    stranger.publish_all(&[fields(24_000, "f")]).await;
    stranger.publish_all(&messages).await;

    arrive(&platform, &receiver, &events, Duration::from_secs(2)).await;
    let rows = rejected(&platform, 1).await;
    assert!(reason(&rows[0]).chars().count() <= 2_000);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fields_name_cannot_forge_a_log_line() {
    let (platform, _, stranger) = platform().await;
    let hostile = "{\"\u{1b}[2J\u{1b}[1;31m\\r\\nFAKE\":0}".replace('\u{1b}', "\\u001b");

    stranger
        .publish_all(&[StrangersMessage::event(hostile)])
        .await;

    let rows = rejected(&platform, 1).await;
    assert!(reason(&rows[0]).contains("FAKE"), "{}", rows[0]);
    let line = logged(&platform, "FAKE").await;
    assert!(line.contains("\\u{1b}[2J\\u{1b}[1;31m\\r\\nFAKE"), "{line}");
    assert!(!line.contains(char::is_control), "{line}");
    platform.end().await;
}
