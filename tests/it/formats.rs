//! Webhooks with formats, against fakes of the services: what arrives, what an answer means, and the pace.

use std::time::Duration;

use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{
    Answer, CreatedWebhook, DiscordAnswer, FakeDiscord, FakeSlack, FakeTeams, NewWebhook, Platform,
    Received, Receiver, SlackAnswer, Then,
};

mod answers;
mod global_limit;
mod pace;
mod templates;

/// A webhook with a format, and pauses of 100 ms between attempts.
async fn chat_webhook(platform: &Platform, format: &str, url: &str) -> CreatedWebhook {
    in_format(platform, format, url).create().await
}

fn in_format<'a>(platform: &'a Platform, format: &str, url: &str) -> NewWebhook<'a> {
    let webhook = platform.webhook("Chat").at(url);
    webhook
        .retrying_every(100, 12)
        .with(&json!({"format": format}))
}

/// The only delivery with its attempts, once the delivery has this status.
async fn delivery_with_status(platform: &Platform, status: &str) -> Value {
    platform.deliveries_become(status, 1).await;
    let listed = platform.read_deliveries().await;
    let id = listed[0]["id"].as_str().expect("an id");
    platform.get(&format!("/api/v1/deliveries/{id}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_gets_a_message_and_the_log_shows_its_bytes() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    chat_webhook(&platform, "slack", &slack.url()).await;

    platform
        .publish(Environment::Production, EventType::ActivationFailed)
        .await;
    let messages = slack.arrived(1).await;

    let text = messages[0]["text"].as_str().expect("a text");
    assert!(text.contains("Activation failed"), "{text}");
    let delivery = delivery_with_status(&platform, "succeeded").await;
    let logged = delivery["attempts"][0]["request_body"].as_str();
    let sent = slack.requests()[0].body.clone();
    assert_eq!(logged.map(str::as_bytes), Some(&sent[..]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_gets_an_embed_and_teams_a_card() {
    let platform = Platform::new().await;
    let (discord, teams) = (FakeDiscord::start().await, FakeTeams::start().await);
    chat_webhook(&platform, "discord", &discord.url()).await;
    chat_webhook(&platform, "teams", &teams.url()).await;

    platform
        .publish(Environment::Staging, EventType::LicenseRevoked)
        .await;
    platform
        .publish(Environment::Production, EventType::LicenseRevoked)
        .await;
    let (embeds, cards) = (discord.arrived(1).await, teams.arrived(1).await);

    let title = embeds[0]["embeds"][0]["title"].as_str();
    assert!(
        title.is_some_and(|title| title.contains("License revoked")),
        "{embeds:?}"
    );
    assert!(
        cards[0].to_string().contains("License revoked"),
        "{cards:?}"
    );
    assert_eq!((embeds.len(), cards.len(), teams.lost().len()), (1, 1, 0));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_event_has_its_content_type_and_a_valid_signature() {
    let (platform, receiver) = (Platform::new().await, Receiver::answering(&[]).await);
    let webhook = in_format(&platform, "cloudevents", &receiver.url)
        .create()
        .await;

    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    let request = platform.next_request(&receiver).await;

    let content_type = &request.headers["content-type"];
    assert_eq!(content_type, "application/cloudevents+json; charset=utf-8");
    let event: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(event["specversion"], "1.0");
    assert!(request.is_signed_by(&[&webhook.secret]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_an_event_pings_a_channel() {
    let platform = Platform::new().await;
    let (slack, discord) = (FakeSlack::start().await, FakeDiscord::start().await);
    chat_webhook(&platform, "slack", &slack.url()).await;
    chat_webhook(&platform, "discord", &discord.url()).await;
    let hostile = json!({"type": "activation.failed", "environment": "production",
        "data": {"device": "<!channel> @everyone <@U1>", "reason": "@here <@&1>"}});

    let (status, answer) = platform.post("/api/v1/events", &hostile).await;
    slack.arrived(1).await;
    discord.arrived(1).await;

    assert_eq!(status, 202, "{answer}");
    assert_eq!((slack.pinged(), discord.pinged()), (vec![], vec![]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_format_and_a_limit_per_minute_are_stored_exported_and_audited() {
    let platform = Platform::new().await;
    let limit = json!({"requests": 25, "per": "minute"});
    let webhook = platform
        .webhook("Chat")
        .with(&json!({"format": "discord", "rate_limit": limit}));
    let webhook = webhook.create().await;

    let read = platform.get(&webhook.path).await;
    let changed = platform
        .change(&webhook, &json!({"format": null, "rate_limit": 7}))
        .await;
    let exported = platform
        .get("/api/v1/webhooks/export?environment=production")
        .await;
    let audit = platform.get("/api/v1/audit?action=webhook.updated").await;

    assert_eq!(
        (&read["format"], &read["rate_limit"]),
        (&json!("discord"), &limit)
    );
    assert_eq!(
        (&changed["format"], &changed["rate_limit"]),
        (&json!("json"), &json!(7))
    );
    assert_eq!(exported["webhooks"][0]["format"], "json");
    assert_eq!(audit["data"][0]["before"]["format"], "discord");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_the_body_that_a_webhook_gets() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    chat_webhook(&platform, "slack", &slack.url()).await;
    let id = platform.publish_fresh().await;
    slack.arrived(1).await;

    let wanted = json!({"format": "slack", "event_id": id});
    let (status, preview) = platform.post("/api/v1/webhooks/preview", &wanted).await;
    let example = json!({"format": "slack"});
    let (example_status, _) = platform.post("/api/v1/webhooks/preview", &example).await;

    assert_eq!(status, 200, "{preview}");
    let sent = slack.requests()[0].body.clone();
    assert_eq!(preview["body"].as_str().map(str::as_bytes), Some(&sent[..]));
    assert_eq!(preview["bytes"], sent.len());
    assert!(
        preview["limits"]
            .as_array()
            .is_some_and(|limits| !limits.is_empty()),
        "{preview}"
    );
    assert_eq!(example_status, 200);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_format_or_limit_is_refused_by_its_field() {
    let platform = Platform::new().await;
    for (fields, field) in [
        (json!({"format": "sms"}), "format"),
        (
            json!({"rate_limit": {"requests": 0, "per": "minute"}}),
            "rate_limit.requests",
        ),
        (
            json!({"rate_limit": {"requests": 5, "per": "hour"}}),
            "rate_limit.per",
        ),
        (json!({"rate_limit": {"requests": 5}}), "rate_limit.per"),
        (json!({"rate_limit": "fast"}), "rate_limit"),
    ] {
        let mut body = json!({"name": "Chat", "url": "https://a.example.com/in",
            "environment": "production", "event_types": ["*"]});
        body.as_object_mut()
            .expect("an object")
            .extend(fields.as_object().expect("an object").clone());

        let (status, refused) = platform.post("/api/v1/webhooks", &body).await;

        assert_eq!(status, 422, "{refused}");
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    platform.end().await;
}
