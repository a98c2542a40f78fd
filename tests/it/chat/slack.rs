use std::time::Duration;

use serde_json::{Value, json};
use webhook_tests::{FakeSlack, SlackAnswer};

use super::{long, post, post_as, post_bytes};

/// Long enough for a whole burst.
const REST: Duration = Duration::from_secs(10);

/// A message of the size `n`, and the largest size that Slack takes.
type Limit = (fn(usize) -> Value, usize);

const LIMITS: [Limit; 8] = [
    (
        |n| block(&json!({"type": "header", "text": plain(&long(n))})),
        150,
    ),
    (
        |n| block(&json!({"type": "section", "text": marked(&long(n))})),
        3_000,
    ),
    (
        |n| block(&json!({"type": "section", "fields": vec![marked("a"); n]})),
        10,
    ),
    (
        |n| block(&json!({"type": "section", "fields": [marked(&long(n))]})),
        2_000,
    ),
    (
        |n| block(&json!({"type": "context", "elements": vec![marked("a"); n]})),
        10,
    ),
    (
        |n| block(&json!({"type": "actions", "elements": vec![button("Open"); n]})),
        25,
    ),
    (
        |n| block(&json!({"type": "actions", "elements": [button(&long(n))]})),
        75,
    ),
    (
        |n| json!({"blocks": vec![json!({"type": "divider"}); n]}),
        50,
    ),
];

fn block(block: &Value) -> Value {
    json!({"text": "Summary", "blocks": [block]})
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn marked(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text})
}

fn button(text: &str) -> Value {
    json!({"type": "button", "text": plain(text), "url": "https://platform.example/1"})
}

/// Bodies that never work, with Slack's code.
fn refused() -> Vec<(&'static str, Value)> {
    let (empty, blank) = (json!([]), json!([{"color": "#c00", "text": ""}]));
    let attached = json!([{"blocks": [{"type": "card"}]}]);
    let mut all = vec![
        ("invalid_payload", json!("text")),
        ("invalid_payload", json!(["text"])),
        ("invalid_payload", json!({"text": 1})),
        ("invalid_payload", json!({"attachments": "a"})),
        ("no_text", json!({})),
        (
            "no_text",
            json!({"text": " ", "blocks": empty, "attachments": empty}),
        ),
        (
            "missing_text_or_fallback_or_attachments",
            json!({"attachments": blank}),
        ),
        ("invalid_blocks", json!({"text": "a", "blocks": {}})),
        ("invalid_blocks", json!({"attachments": attached})),
    ];
    all.extend(faulty_blocks().map(|faulty| ("invalid_blocks", block(&faulty))));
    all
}

fn faulty_blocks() -> [Value; 11] {
    [
        json!({"text": plain("a")}),
        json!({"type": "heading", "text": plain("a")}),
        json!({"type": "header", "text": marked("a")}),
        json!({"type": "header", "text": plain("")}),
        json!({"type": "header", "text": "a"}),
        json!({"type": "section"}),
        json!({"type": "section", "fields": []}),
        json!({"type": "section", "text": marked(" ")}),
        json!({"type": "section", "text": marked("a"), "colour": "red"}),
        json!({"type": "actions", "elements": [{"type": "button", "text": plain("a")}]}),
        json!({"type": "image", "image_url": "https://platform.example/a.png"}),
    ]
}

#[tokio::test]
async fn slack_answers_ok_to_a_text_to_blocks_and_to_attachments() {
    let slack = FakeSlack::start().await;
    let section = json!({"type": "section", "text": marked("*a*"), "accessory": button("Open")});
    let messages = [
        json!({"text": "Activation failed"}),
        json!({"blocks": [section]}),
        json!({"attachments": [{"color": "#c00", "blocks": [section]}]}),
        json!({"attachments": [{"fallback": "a"}]}),
    ];

    for message in &messages {
        let told = post(&slack.url(), message).await;
        assert_eq!((told.status, told.body.as_str()), (200, "ok"), "{message}");
    }

    assert_eq!(slack.arrived(4).await, messages);
    assert_eq!(slack.statuses(), [200; 4]);
    assert!(slack.pinged().is_empty());
}

#[tokio::test]
async fn slack_refuses_bytes_that_never_work_with_its_code() {
    let slack = FakeSlack::start().await;
    let refused = refused();

    for (code, body) in &refused {
        slack.step_time(REST);
        let told = post(&slack.url(), body).await;
        assert_eq!((told.status, told.body.as_str()), (400, *code), "{body}");
    }

    assert_eq!(slack.refusals().len(), refused.len());
    assert!(slack.messages().is_empty());
}

#[tokio::test]
async fn slack_takes_a_body_as_json_only() {
    let slack = FakeSlack::start().await;

    let broken = post_bytes(&slack.url(), r#"{"text": "a""#).await;
    let plain = post_as("text/plain", &slack.url(), r#"{"text": "a"}"#).await;

    assert_eq!(
        (broken.status, broken.body.as_str()),
        (400, "invalid_payload")
    );
    assert_eq!(
        (plain.status, plain.body.as_str()),
        (400, "invalid_payload")
    );
}

#[tokio::test]
async fn slack_takes_each_limit_in_full_and_refuses_one_more() {
    let slack = FakeSlack::start().await;

    for (message, limit) in LIMITS {
        slack.step_time(REST);
        let full = post(&slack.url(), &message(limit)).await;
        let over = post(&slack.url(), &message(limit + 1)).await;
        assert_eq!((full.status, full.body.as_str()), (200, "ok"), "{limit}");
        assert_eq!(
            (over.status, over.body.as_str()),
            (400, "invalid_blocks"),
            "{limit}"
        );
    }

    assert_eq!(slack.messages().len(), LIMITS.len());
    let header = "invalid_blocks: blocks/0: 151 characters of header, above 150";
    assert_eq!(slack.refusals()[0], header);
}

#[tokio::test]
async fn slack_knows_its_own_team_and_its_own_token() {
    let slack = FakeSlack::start().await;
    let (body, url) = (json!({"text": "a"}), slack.url());

    let other_team = post(&url.replace("T000", "T001"), &body).await;
    let other_channel = post(&url.replace("B000", "B001"), &body).await;
    let other_token = post(&url.replace(slack.secret(), "A"), &body).await;

    assert_eq!(
        (other_team.status, other_team.body.as_str()),
        (404, "no_team")
    );
    for told in [other_channel, other_token] {
        assert_eq!((told.status, told.body.as_str()), (404, "no_service"));
    }
}

#[tokio::test]
async fn slack_answers_with_the_state_that_a_test_asks_for() {
    let slack = FakeSlack::start().await;
    let states = [
        (SlackAnswer::NoService, 404, "no_service"),
        (SlackAnswer::ChannelNotFound, 404, "channel_not_found"),
        (SlackAnswer::ChannelIsArchived, 410, "channel_is_archived"),
        (SlackAnswer::ActionProhibited, 403, "action_prohibited"),
        (SlackAnswer::TooManyRequests, 429, "rate_limited"),
        (SlackAnswer::RollupError, 500, "rollup_error"),
    ];

    for (state, status, body) in states {
        slack.answer_with(state);
        let told = post(&slack.url(), &json!({"text": "a"})).await;
        assert_eq!((told.status, told.body.as_str()), (status, body));
    }
    assert!(slack.messages().is_empty());

    slack.answer_as_usual();
    assert_eq!(post(&slack.url(), &json!({"text": "a"})).await.body, "ok");
}

#[tokio::test]
async fn a_page_of_html_with_status_200_is_no_message_in_slack() {
    let slack = FakeSlack::start().await;
    slack.answer_with(SlackAnswer::HtmlPage);

    let told = post(&slack.url(), &json!({"text": "a"})).await;

    assert_eq!(told.status, 200);
    assert!(told.body.starts_with("<!DOCTYPE html>"), "{}", told.body);
    assert!(slack.messages().is_empty());
}

#[tokio::test]
async fn slack_admits_a_short_burst_and_then_one_message_a_second() {
    let slack = FakeSlack::start().await;
    slack.stop_clock();
    let send = async || post(&slack.url(), &json!({"text": "a"})).await;

    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(send().await.status);
    }
    let refused = send().await;
    slack.step_time(Duration::from_secs(1));
    let later = [send().await.status, send().await.status];

    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    assert_eq!((refused.status, refused.header("retry-after")), (429, "1"));
    assert_eq!(later, [200, 429]);
}

#[tokio::test]
async fn slack_pings_people_for_a_mention_that_is_not_escaped() {
    let slack = FakeSlack::start().await;
    let text = "<!channel> <!here|here> <!everyone> <@U012AB3CD> <!subteam^S1|@team> <x <@W1>";
    let harmless = "&lt;!channel&gt; @channel <https://a.example|a> <#C1> <!date^1^{date}|a>";

    let quiet = post(&slack.url(), &json!({"text": harmless})).await;
    let section = json!({"type": "section", "fields": [marked(text)]});
    let loud = post(&slack.url(), &json!({"text": "a", "blocks": [section]})).await;

    assert_eq!((quiet.status, loud.status), (200, 200));
    let all = [
        "<!channel>",
        "<!here>",
        "<!everyone>",
        "<@U012AB3CD>",
        "<!subteam^S1>",
        "<@W1>",
    ];
    assert_eq!(slack.pinged(), all);
}
