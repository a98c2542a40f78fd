use std::time::Duration;

use serde_json::{Value, json};
use webhook_tests::{DiscordAnswer, FakeDiscord};

use super::{Told, long, post, post_bytes};

/// The span of the webhook's bucket.
const SPAN: Duration = Duration::from_secs(2);
/// A minute, after which the channel is free again.
const MINUTE: Duration = Duration::from_secs(60);

/// A message of the size `n`, the largest size that Discord takes, and the place of the fault.
type Limit = (fn(usize) -> Value, usize, &'static str);

const LIMITS: [Limit; 9] = [
    (|n| json!({"content": long(n)}), 2_000, "/content"),
    (
        |n| json!({"embeds": vec![json!({"title": "a"}); n]}),
        10,
        "/embeds",
    ),
    (
        |n| embed(&json!({"title": long(n)})),
        256,
        "/embeds/0/title",
    ),
    (
        |n| embed(&json!({"description": long(n)})),
        4_096,
        "/embeds/0/description",
    ),
    (
        |n| embed(&json!({"fields": vec![field("a", "a"); n]})),
        25,
        "/embeds/0/fields",
    ),
    (
        |n| embed(&json!({"fields": [field(&long(n), "a")]})),
        256,
        "/embeds/0/fields/0/name",
    ),
    (
        |n| embed(&json!({"fields": [field("a", &long(n))]})),
        1_024,
        "/embeds/0/fields/0/value",
    ),
    (
        |n| embed(&json!({"footer": {"text": long(n)}})),
        2_048,
        "/embeds/0/footer/text",
    ),
    // Two embeds share the 6,000 characters.
    (
        |n| json!({"embeds": [{"description": long(3_000)}, {"description": long(n)}]}),
        3_000,
        "/embeds",
    ),
];

fn embed(embed: &Value) -> Value {
    json!({"embeds": [embed]})
}

fn field(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value, "inline": true})
}

/// Bodies that never work, with Discord's code.
fn refused() -> Vec<(u32, Value)> {
    vec![
        (50_109, json!("content")),
        (50_006, json!({})),
        (50_006, json!({"text": "a message for Slack"})),
        (50_006, json!({"content": " ", "embeds": []})),
        (50_035, json!({"content": 1})),
        (50_035, json!({"embeds": {"title": "a"}})),
        (50_035, embed(&json!({}))),
        (50_035, embed(&json!({"color": 255}))),
        (
            50_035,
            embed(&json!({"title": "a", "url": "platform.example/1"})),
        ),
        (
            50_035,
            embed(&json!({"title": "a", "url": "ftp://platform.example/1"})),
        ),
        (50_035, embed(&json!({"title": "a", "color": 0x0100_0000}))),
        (50_035, embed(&json!({"title": "a", "color": "#cc0000"}))),
        (
            50_035,
            embed(&json!({"title": "a", "timestamp": "yesterday"})),
        ),
        (50_035, embed(&json!({"title": "a", "footer": {}}))),
        (50_035, embed(&json!({"fields": [field("", "a")]}))),
        (50_035, embed(&json!({"fields": [field("a", " ")]}))),
    ]
}

async fn waited(discord: &FakeDiscord, body: &Value) -> Told {
    post(&format!("{}?wait=true", discord.url()), body).await
}

/// Posts `count` small messages at once, and returns the statuses.
async fn burst(discord: &FakeDiscord, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        let told = post(&discord.url(), &json!({"content": "a"})).await;
        statuses.push(told.status);
    }
    statuses
}

#[tokio::test]
async fn discord_answers_204_or_with_the_message_to_who_waits() {
    let discord = FakeDiscord::start().await;
    let message = json!({"content": "a", "embeds": [{
        "title": "Activation failed", "url": "https://platform.example/1", "color": 0x00CC_0000,
        "timestamp": "2026-11-23T08:15:30.123Z", "fields": [field("Device", "CAD-7")],
        "footer": {"text": "Production"},
    }]});

    let quick = post(&discord.url(), &message).await;
    let patient = waited(&discord, &message).await;

    assert_eq!((quick.status, quick.body.as_str()), (204, ""));
    assert_eq!(patient.status, 200);
    assert_eq!(patient.json()["embeds"][0]["title"], "Activation failed");
    assert_eq!(discord.arrived(2).await, [message.clone(), message]);
}

#[tokio::test]
async fn discord_refuses_bytes_that_never_work_with_its_code() {
    let discord = FakeDiscord::start().await;

    for (code, body) in refused() {
        discord.step_time(SPAN);
        let told = post(&discord.url(), &body).await;
        assert_eq!(told.status, 400, "{body}");
        assert_eq!(told.json()["code"], code, "{body}");
    }
    let broken = post_bytes(&discord.url(), "{").await;

    assert_eq!(broken.json()["code"], 50_109);
    assert_eq!(discord.refusals().len(), refused().len() + 1);
    assert!(discord.messages().is_empty());
    assert_eq!(discord.invalid_requests(), 0);
}

#[tokio::test]
async fn discord_takes_each_limit_in_full_and_refuses_one_more() {
    let discord = FakeDiscord::start().await;

    for (message, limit, place) in LIMITS {
        discord.step_time(SPAN);
        let full = waited(&discord, &message(limit)).await;
        let over = waited(&discord, &message(limit + 1)).await;
        assert_eq!(full.status, 200, "{place}: {}", full.body);
        assert_eq!(over.status, 400, "{place}");
        let faults = &over.json()["errors"];
        let fault = faults.pointer(&format!("{place}/_errors/0/code"));
        assert!(fault.is_some(), "{faults}");
    }

    assert_eq!(discord.messages().len(), LIMITS.len());
}

#[tokio::test]
async fn discord_answers_with_the_state_that_a_test_asks_for() {
    let discord = FakeDiscord::start().await;
    let states = [
        (DiscordAnswer::UnknownWebhook, 404, 10_015),
        (DiscordAnswer::Unauthorized, 401, 0),
        (DiscordAnswer::Forbidden, 403, 50_013),
        (DiscordAnswer::ServerError, 500, 0),
        (DiscordAnswer::NotSaved, 500, 0),
    ];

    for (state, status, code) in states {
        discord.answer_with(state);
        let told = waited(&discord, &json!({"content": "a"})).await;
        assert_eq!(
            (told.status, told.json()["code"].as_u64()),
            (status, Some(code))
        );
    }
    discord.answer_as_usual();

    assert_eq!(discord.invalid_requests(), 2);
    assert_eq!(burst(&discord, 1).await, [204]);
    assert_eq!(discord.messages().len(), 1);
}

#[tokio::test]
async fn discord_does_not_know_another_token_or_another_id() {
    let discord = FakeDiscord::start().await;
    let (url, other) = (discord.url(), FakeDiscord::start().await);
    let id = |url: &str| url.split('/').nth(5).expect("an id").to_owned();
    let other_token = url.replace(discord.secret(), other.secret());
    let other_id = url.replace(&id(&url), &id(&other.url()));

    for url in [other_token, other_id] {
        let told = post(&url, &json!({"content": "a"})).await;
        assert_eq!((told.status, &told.json()["code"]), (404, &json!(10_015)));
        assert_eq!(told.header("x-ratelimit-remaining"), "5");
    }
}

#[tokio::test]
async fn a_message_that_discord_did_not_save_is_an_error_only_for_who_waits() {
    let discord = FakeDiscord::start().await;
    discord.answer_with(DiscordAnswer::NotSaved);

    let quick = post(&discord.url(), &json!({"content": "a"})).await;
    let patient = waited(&discord, &json!({"content": "a"})).await;

    assert_eq!((quick.status, patient.status), (204, 500));
    assert!(discord.messages().is_empty());
}

#[tokio::test]
async fn each_answer_of_discord_counts_the_webhooks_requests_in_headers() {
    let discord = FakeDiscord::start().await;
    discord.stop_clock();
    let bodies = [json!({"content": "a"}), json!({})];

    for (body, remaining) in bodies.iter().zip(["4", "3"]) {
        discord.step_time(SPAN / 4);
        let told = post(&discord.url(), body).await;
        assert_eq!(told.header("x-ratelimit-limit"), "5");
        assert_eq!(told.header("x-ratelimit-remaining"), remaining);
        assert_eq!(told.header("x-ratelimit-bucket").len(), 32);
    }
    let third = post(&discord.url(), &bodies[0]).await;

    assert_eq!(third.header("x-ratelimit-remaining"), "2");
    assert_eq!(third.header("x-ratelimit-reset-after"), "1.500");
    assert_eq!(discord.statuses(), [204, 400, 204]);
}

#[tokio::test]
async fn discord_admits_five_requests_in_two_seconds_and_tells_when_to_come_again() {
    let discord = FakeDiscord::start().await;
    discord.stop_clock();
    let admitted = burst(&discord, 5).await;
    discord.step_time(SPAN / 8);

    let over = post(&discord.url(), &json!({"content": "a"})).await;
    discord.step_time(SPAN - SPAN / 8);
    let later = burst(&discord, 6).await;

    assert_eq!(admitted, [204; 5]);
    assert_eq!(
        (over.status, over.header("x-ratelimit-scope")),
        (429, "user")
    );
    assert_eq!(over.header("x-ratelimit-remaining"), "0");
    assert_eq!(over.header("x-ratelimit-reset-after"), "1.750");
    assert_eq!(over.header("retry-after"), "2");
    let body = over.json();
    assert_eq!(
        (&body["retry_after"], &body["global"]),
        (&json!(1.75), &json!(false))
    );
    assert!(body["message"].is_string());
    assert_eq!(later, [204, 204, 204, 204, 204, 429]);
    assert_eq!(discord.invalid_requests(), 2);
}

#[tokio::test]
async fn a_discord_channel_takes_thirty_messages_a_minute_and_no_header_warns() {
    let discord = FakeDiscord::start().await;
    discord.stop_clock();
    for _ in 0..6 {
        assert_eq!(burst(&discord, 5).await, [204; 5]);
        discord.step_time(SPAN);
    }

    let over = post(&discord.url(), &json!({"content": "a"})).await;
    discord.step_time(MINUTE);
    let later = burst(&discord, 1).await;

    assert_eq!(
        (over.status, over.header("x-ratelimit-scope")),
        (429, "shared")
    );
    assert_eq!(over.header("x-ratelimit-remaining"), "4");
    assert_eq!(over.json()["retry_after"], 48.0);
    assert_eq!(later, [204]);
}

#[tokio::test]
async fn a_hostile_discord_asks_for_half_a_second_again_and_again() {
    let discord = FakeDiscord::start().await;
    discord.stop_clock();
    discord.always_429_for(MINUTE);

    for _ in 0..3 {
        let told = post(&discord.url(), &json!({"content": "a"})).await;
        assert_eq!((told.status, told.header("retry-after")), (429, "1"));
        assert_eq!(told.json()["retry_after"], 0.5);
        assert_eq!(told.header("x-ratelimit-reset-after"), "0.500");
        discord.step_time(Duration::from_millis(500));
    }
    discord.step_time(MINUTE);

    assert_eq!(burst(&discord, 1).await, [204]);
    assert_eq!(discord.statuses(), [429, 429, 429, 204]);
}

#[tokio::test]
async fn a_global_429_says_so_in_the_body_and_in_two_headers() {
    let discord = FakeDiscord::start().await;
    discord.stop_clock();
    discord.globally_429_for(MINUTE);

    let told = post(&discord.url(), &json!({"content": "a"})).await;
    discord.step_time(MINUTE);

    assert_eq!((told.status, &told.json()["global"]), (429, &json!(true)));
    assert_eq!(told.header("x-ratelimit-global"), "true");
    assert_eq!(told.header("x-ratelimit-scope"), "global");
    assert_eq!(told.header("retry-after"), "60");
    assert_eq!(burst(&discord, 1).await, [204]);
}

#[tokio::test]
async fn discord_pings_people_unless_no_mention_is_allowed() {
    let discord = FakeDiscord::start().await;
    let text = "@everyone @here <@1> <@!2> <@&3> <@nobody>";
    let none = json!({"parse": []});

    post(
        &discord.url(),
        &json!({"content": text, "allowed_mentions": none}),
    )
    .await;
    post(&discord.url(), &embed(&json!({"description": text}))).await;
    let quiet = discord.pinged();
    post(&discord.url(), &json!({"content": text})).await;

    assert!(quiet.is_empty(), "{quiet:?}");
    assert_eq!(
        discord.pinged(),
        ["@everyone", "@here", "<@1>", "<@!2>", "<@&3>"]
    );
    assert_eq!(discord.messages().len(), 3);
}
