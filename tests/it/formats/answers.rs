//! What the answers of chat services mean.

use super::*;

/// The webhook once the platform has set it Inactive, with the reason.
async fn reason_of_inactive(platform: &Platform, webhook: &CreatedWebhook) -> String {
    let inactive = async || platform.get(&webhook.path).await["status"] == "inactive";
    platform.until("the webhook is Inactive", inactive).await;
    let read = platform.get(&webhook.path).await;
    read["disabled_reason"]
        .as_str()
        .expect("a reason")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_slack_removed_is_set_inactive_with_slacks_word() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    slack.answer_with(SlackAnswer::NoService);
    let webhook = chat_webhook(&platform, "slack", &slack.url()).await;

    platform.publish_fresh().await;

    let reason = reason_of_inactive(&platform, &webhook).await;
    assert!(
        reason.contains("`no_service`: this webhook was removed in Slack"),
        "{reason}"
    );
    assert_eq!(slack.requests().len(), 1);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_forbidden_request_in_a_row_sets_the_webhook_inactive() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    slack.answer_with(SlackAnswer::ActionProhibited);
    let webhook = chat_webhook(&platform, "slack", &slack.url()).await;

    for _ in 0..3 {
        platform.publish_fresh().await;
    }

    let reason = reason_of_inactive(&platform, &webhook).await;
    assert!(reason.contains("action_prohibited"), "{reason}");
    assert_eq!(slack.requests().len(), 3);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_slack_never_takes_are_given_up_at_once() {
    let answer = "HTTP/1.1 400 Bad Request\r\ncontent-length: 14\r\n\r\ninvalid_blocks";
    let refuse = move |_: usize, _: &Received| Answer::bytes(answer, Then::Serve);
    let (platform, receiver) = (Platform::new().await, Receiver::deciding(refuse).await);
    let webhook = chat_webhook(&platform, "slack", &receiver.url).await;

    platform.publish_fresh().await;
    let delivery = delivery_with_status(&platform, "failed").await;

    assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(1));
    let detail = delivery["attempts"][0]["failure_detail"].as_str();
    assert!(
        detail.is_some_and(|detail| detail.contains("invalid_blocks")),
        "{detail:?}"
    );
    assert_eq!(platform.get(&webhook.path).await["status"], "active");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_html_instead_of_ok_is_a_failed_attempt_and_retried() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    slack.answer_with(SlackAnswer::HtmlPage);
    chat_webhook(&platform, "slack", &slack.url()).await;

    platform.publish_fresh().await;
    platform
        .until("an attempt is made", async || !slack.requests().is_empty())
        .await;
    slack.answer_as_usual();

    slack.arrived(1).await;
    let delivery = delivery_with_status(&platform, "succeeded").await;
    assert_eq!(delivery["attempts"][0]["failure_class"], "body");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discord_webhook_that_is_unknown_is_set_inactive() {
    let (platform, discord) = (Platform::new().await, FakeDiscord::start().await);
    discord.answer_with(DiscordAnswer::UnknownWebhook);
    let webhook = chat_webhook(&platform, "discord", &discord.url()).await;

    platform.publish_fresh().await;

    let reason = reason_of_inactive(&platform, &webhook).await;
    assert!(reason.contains("10015"), "{reason}");
    platform.end().await;
}
