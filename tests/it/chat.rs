//! The fake chat services answer as Slack, Discord and Teams do: other tests rely on their strictness.

mod discord;
mod slack;
mod teams;

use std::sync::LazyLock;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webhook_domain::{Environment, EventType};
use webhook_tests::{FakeDiscord, FakeSlack, FakeTeams, event};

// Each test has a runtime of its own, which ends with its connections: none goes back to a pool.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let client = reqwest::Client::builder().pool_max_idle_per_host(0);
    client.build().expect("a client")
});

/// The response of a fake.
struct Told {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.expect("the header is there").expect("letters")
    }
}

/// Posts bytes as JSON.
async fn post_bytes(url: &str, body: impl Into<reqwest::Body>) -> Told {
    post_as("application/json", url, body).await
}

async fn post_as(content_type: &str, url: &str, body: impl Into<reqwest::Body>) -> Told {
    let request = CLIENT.post(url).body(body);
    let sent = request.header("content-type", content_type).send().await;
    let response = sent.expect("the fake answers");
    Told {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.expect("the body is text"),
    }
}

async fn post(url: &str, body: &Value) -> Told {
    post_bytes(url, body.to_string()).await
}

/// A text of this many characters, four bytes and two UTF-16 units each.
fn long(characters: usize) -> String {
    "😀".repeat(characters)
}

#[tokio::test]
async fn an_event_as_json_is_refused_by_slack_and_discord_and_lost_by_teams() {
    let (slack, discord) = (FakeSlack::start().await, FakeDiscord::start().await);
    let teams = FakeTeams::start().await;
    let event = event(Environment::Production, EventType::ActivationFailed);

    let by_slack = post_bytes(&slack.url(), event.body.clone()).await;
    let by_discord = post_bytes(&discord.url(), event.body.clone()).await;
    let by_teams = post_bytes(&teams.url(), event.body.clone()).await;

    assert_eq!((by_slack.status, by_slack.body.as_str()), (400, "no_text"));
    assert_eq!(by_discord.status, 400);
    assert_eq!(by_discord.json()["code"], 50_006);
    assert_eq!((by_teams.status, by_teams.body.as_str()), (202, ""));
    assert_eq!((teams.posted().len(), teams.lost().len()), (0, 1));
}

#[tokio::test]
async fn an_event_with_a_lone_surrogate_is_no_json_for_any_service() {
    let (slack, discord) = (FakeSlack::start().await, FakeDiscord::start().await);
    let teams = FakeTeams::start().await;
    let body = r#"{"text": "\ud800", "content": "\ud800"}"#;

    let by_slack = post_bytes(&slack.url(), body).await;
    let by_discord = post_bytes(&discord.url(), body).await;
    let by_teams = post_bytes(&teams.url(), body).await;

    assert_eq!(by_slack.body, "invalid_payload");
    assert_eq!(by_discord.json()["code"], 50_109);
    assert_eq!(by_teams.status, 400);
}

#[tokio::test]
async fn a_fake_answers_only_its_own_url_and_only_a_post() {
    let (slack, other) = (FakeSlack::start().await, FakeSlack::start().await);
    let path = |url: &str| url[url.find("/services").expect("a path")..].to_owned();
    let foreign = slack
        .url()
        .replace(&path(&slack.url()), &path(&other.url()));

    let told = post(&foreign, &json!({"text": "Hello"})).await;
    let put = CLIENT.put(slack.url()).body("{}").send();
    let put = put.await.expect("the fake answers");

    assert_eq!((told.status, told.body.as_str()), (404, "no_service"));
    assert_eq!(put.status(), 405);
    assert!(!slack.url().contains(other.secret()));
    assert!(slack.messages().is_empty());
}

#[tokio::test]
async fn a_fake_answers_several_requests_over_one_connection() {
    let discord = FakeDiscord::start().await;
    let url: reqwest::Url = discord.url().parse().expect("a URL");
    let address = url.socket_addrs(|| None).expect("an address")[0];
    let head = "content-type: application/json\r\ncontent-length: 15";
    let ask = |query: &str| {
        let path = url.path();
        format!("POST {path}{query} HTTP/1.1\r\n{head}\r\n\r\n{{\"content\":\"a\"}}")
    };

    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let both = [ask(""), ask("?wait=true")].concat();
    stream.write_all(both.as_bytes()).await.expect("written");
    stream.shutdown().await.expect("the requests end");
    let mut told = String::new();
    stream.read_to_string(&mut told).await.expect("text");

    let (first, second) = told.split_once("\r\n\r\n").expect("two responses");
    assert!(first.starts_with("HTTP/1.1 204 "), "{first}");
    assert!(second.starts_with("HTTP/1.1 200 "), "{second}");
    assert_eq!(discord.messages().len(), 2);
}
