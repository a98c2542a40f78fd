use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use webhook_tests::{FakeTeams, TeamsAnswer};

use super::{post, post_as, post_bytes};

/// The largest body.
const MAX_BODY: usize = 28 * 1024;

fn message(content: &Value) -> Value {
    let card = "application/vnd.microsoft.card.adaptive";
    let attachment = json!({"contentType": card, "contentUrl": null, "content": content});
    json!({"type": "message", "attachments": [attachment]})
}

fn card(version: &str, body: &Value) -> Value {
    message(&json!({"type": "AdaptiveCard", "version": version, "body": body}))
}

fn text(text: &str) -> Value {
    json!({"type": "TextBlock", "text": text, "wrap": true})
}

/// A card with each element that Teams knows.
fn rich() -> Value {
    let open =
        json!({"type": "Action.OpenUrl", "title": "Open", "url": "https://platform.example/1"});
    let facts = json!({"type": "FactSet", "facts": [{"title": "Device", "value": "CAD-7"}]});
    let column = json!({"type": "Column", "width": "auto", "items": [text("a")]});
    let body = json!([
        {"type": "Container", "style": "attention", "items": [text("Activation failed"), facts]},
        {"type": "ColumnSet", "columns": [column]},
        {"type": "RichTextBlock", "inlines": ["a", {"type": "TextRun", "text": "b"}]},
        {"type": "Image", "url": "https://platform.example/a.png"},
        {"type": "ActionSet", "actions": [open]},
    ]);
    let content =
        json!({"type": "AdaptiveCard", "version": "1.4", "body": body, "actions": [open]});
    message(&content)
}

/// Bodies that fail inside the flow, with a part of the fault.
fn lost() -> Vec<(&'static str, Value)> {
    let with = |element: Value| card("1.4", &json!([element]));
    let mut action = card("1.4", &json!([text("a")]));
    action["attachments"][0]["content"]["actions"] =
        json!([{"type": "Action.Submit", "title": "Yes"}]);
    let mut link = action.clone();
    link["attachments"][0]["content"]["actions"] =
        json!([{"type": "Action.OpenUrl", "title": "Open", "url": "/licenses/1"}]);
    let mut kind = rich();
    kind["attachments"][0]["contentType"] = json!("application/vnd.microsoft.card.hero");
    vec![
        (
            "message of type null",
            json!({"text": "a message for Slack"}),
        ),
        (
            "no attachments",
            json!({"type": "message", "attachments": []}),
        ),
        ("contentType", kind),
        (
            "a card of type",
            message(&json!({"version": "1.4", "body": [text("a")]})),
        ),
        (
            "a card of type",
            message(&json!("{\"type\":\"AdaptiveCard\"}")),
        ),
        ("card version \"1.5\"", card("1.5", &json!([text("a")]))),
        ("card version \"1.1\"", card("1.1", &json!([text("a")]))),
        ("no body", card("1.4", &json!([]))),
        ("unknown element", with(json!({"type": "Table"}))),
        ("text of a TextBlock", with(text(""))),
        (
            "value of a fact",
            with(json!({"type": "FactSet", "facts": [{"title": "a", "value": 1}]})),
        ),
        ("no facts", with(json!({"type": "FactSet", "facts": []}))),
        (
            "unknown element",
            with(json!({"type": "Container", "items": [{"type": "Video"}]})),
        ),
        ("unknown action", action),
        ("no http or https URL", link),
    ]
}

/// A valid card in a body of this many bytes.
fn sized(bytes: usize) -> String {
    let frame = card("1.4", &json!([text("a")])).to_string().len() - 1;
    card("1.4", &json!([text(&"a".repeat(bytes - frame))])).to_string()
}

#[tokio::test]
async fn teams_accepts_a_card_of_each_version_with_each_known_element() {
    let teams = FakeTeams::start().await;
    let versions = ["1.2", "1.3", "1.4"].map(|version| card(version, &json!([text("a")])));

    for message in versions.iter().chain([&rich()]) {
        let told = post(&teams.url(), message).await;
        assert_eq!((told.status, told.body.as_str()), (202, ""), "{message}");
    }

    assert_eq!(teams.arrived(4).await[3], rich());
    assert_eq!(teams.lost(), []);
    assert_eq!(teams.statuses(), [202; 4]);
}

#[tokio::test]
async fn teams_accepts_a_faulty_card_and_loses_it() {
    let teams = FakeTeams::start().await;

    for (fault, body) in lost() {
        let told = post(&teams.url(), &body).await;
        assert_eq!((told.status, told.body.as_str()), (202, ""), "{body}");
        let lost = teams.lost().pop().expect("the card is lost");
        assert!(lost.fault.contains(fault), "{}: {body}", lost.fault);
        assert_eq!(lost.body, body);
    }
    let plain = post_as("text/plain", &teams.url(), rich().to_string()).await;

    assert_eq!(plain.status, 202);
    assert_eq!(teams.lost().len(), lost().len() + 1);
    assert_eq!(teams.posted(), Vec::<Value>::new());
}

#[tokio::test]
async fn teams_takes_28_kb_and_no_byte_more() {
    let teams = FakeTeams::start().await;

    let full = post_bytes(&teams.url(), sized(MAX_BODY)).await;
    let over = post_bytes(&teams.url(), sized(MAX_BODY + 1)).await;

    assert_eq!((full.status, over.status), (202, 413));
    assert_eq!(teams.requests()[0].body.len(), MAX_BODY);
    assert_eq!(teams.posted().len(), 1);
}

#[tokio::test]
async fn teams_refuses_a_body_without_json_another_sig_and_another_workflow() {
    let teams = FakeTeams::start().await;
    let url = teams.url();
    let other = FakeTeams::start().await;

    let broken = post_bytes(&url, "{").await;
    let other_sig = post(&url.replace(teams.secret(), other.secret()), &rich()).await;
    let no_sig = post(url.split('?').next().expect("a path"), &rich()).await;
    let other_path = post(&url.replace("/workflows/", "/workflows/0"), &rich()).await;

    assert_eq!((broken.status, other_path.status), (400, 404));
    assert_eq!((other_sig.status, no_sig.status), (401, 401));
    assert_eq!(broken.json()["error"]["code"], "InvalidRequestContent");
    assert!(teams.posted().is_empty() && teams.lost().is_empty());
}

#[tokio::test]
async fn teams_answers_with_the_state_that_a_test_asks_for() {
    let teams = FakeTeams::start().await;
    let states = [
        (TeamsAnswer::NotFound, 404),
        (TeamsAnswer::Gone, 410),
        (TeamsAnswer::Forbidden, 403),
        (TeamsAnswer::RequestTimeout, 408),
        (TeamsAnswer::BadGateway, 502),
        (TeamsAnswer::TooManyRequests, 429),
    ];

    for (state, status) in states {
        teams.answer_with(state);
        let told = post(&teams.url(), &rich()).await;
        assert_eq!(told.status, status);
        let pause = told.headers.get("retry-after").map(HeaderValue::as_bytes);
        assert_eq!(pause, (status == 429).then_some(b"1".as_slice()));
    }
    teams.answer_as_usual();

    assert!(teams.posted().is_empty());
    assert_eq!(post(&teams.url(), &rich()).await.status, 202);
}

#[tokio::test]
async fn teams_pings_people_for_a_text_with_an_entity() {
    let teams = FakeTeams::start().await;
    let quiet = card("1.4", &json!([text("<at>Ada</at> failed")]));
    let mut loud = quiet.clone();
    loud["attachments"][0]["content"]["msteams"] =
        json!({"entities": [{"type": "mention", "text": "<at>Ada</at>"}]});

    post(&teams.url(), &quiet).await;
    let by_text_alone = teams.pinged();
    post(&teams.url(), &loud).await;

    assert_eq!(by_text_alone, Vec::<String>::new());
    assert_eq!(teams.pinged(), ["<at>Ada</at>"]);
}
