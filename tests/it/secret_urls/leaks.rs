//! The leak scan: a run with many webhooks, failures and requests, and then a search for every secret in all
//! that the run leaves behind.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;
use webhook_domain::{Environment, EventType};
use webhook_tests::{
    Answer, CreatedWebhook, FakeDiscord, FakeSlack, FakeTeams, Platform, Receiver, Service,
    SlackAnswer, Then, Visitor, each, free_port,
};

/// Modules of the programs log everything; libraries log what operators see.
const DEBUG: &str = "info,webhook_api=debug,webhook_dispatcher=debug,webhook_store=debug";

/// A text that the run leaves behind.
struct Source {
    name: &'static str,
    text: String,
    /// A part of the text, which proves that the scan reads the source of this run.
    marker: String,
}

/// A webhook of the run, with the secret part of its URL.
struct Chat {
    webhook: CreatedWebhook,
    url: String,
    secret: String,
}

/// A receiver that repeats the path of a request in a header, in a body, and outside of HTTP.
async fn echo() -> Receiver {
    Receiver::deciding(|number, request| {
        let target = &request.target;
        let page = format!("no such page: {target}");
        let head = format!(
            "HTTP/1.1 302 Found\r\nlocation: /moved{target}\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        );
        match number % 3 {
            0 => Answer::bytes(head, Then::Close),
            1 => Answer::Raw(format!("{target} is no HTTP\r\n\r\n").into_bytes()),
            _ => Answer::Hang,
        }
    })
    .await
}

/// A path of a Slack webhook at a port of loopback, and its secret.
fn slack_at(port: u16) -> (String, String) {
    let secret = Uuid::new_v4().simple().to_string();
    (
        format!("http://127.0.0.1:{port}/services/T0/B0/{secret}"),
        secret,
    )
}

async fn create(platform: &Platform, format: &str, (url, secret): (String, String)) -> Chat {
    let webhook = platform.webhook("Chat").at(&url).retrying_every(100, 4);
    let webhook = webhook
        .with(&json!({"format": format, "timeout_ms": 500}))
        .create()
        .await;
    Chat {
        webhook,
        url,
        secret,
    }
}

/// Both programs with talkative logs, and the metrics of the dispatcher.
async fn talkative() -> Platform {
    let listen = format!("127.0.0.1:{}", free_port());
    let variables = [
        ("OPERATIONS_LISTEN", &*listen),
        ("RUST_LOG", DEBUG),
        ("LEASE_MS", "4000"),
    ];
    let mut platform = Platform::with_dispatcher(&variables).await;
    let variables = [("RUST_LOG", DEBUG), ("KEY_RATE_LIMIT", "0")];
    platform.api = Service::api_with(&platform.world, &variables).await;
    platform.world.broker.listen_to_status().await;
    platform
}

/// Changes, tests, diagnoses, reveals and exports a webhook, and looks for its URL.
async fn manage(platform: &Platform, chat: &Chat) {
    let Chat { webhook, url, .. } = chat;
    let replaced = slack_at(9);
    platform.change(webhook, &json!({"url": replaced.0})).await;
    platform
        .change(webhook, &json!({"url": url, "description": "changed"}))
        .await;
    platform.get(&format!("{}/url", webhook.path)).await;
    platform.get(&format!("{}/diagnosis", webhook.path)).await;
    let test = format!("{}/test?wait=2s", webhook.path);
    platform
        .post(&test, &json!({"event_type": "license.activated"}))
        .await;
    let query = url::form_urlencoded::byte_serialize(url.as_bytes()).collect::<String>();
    platform
        .get(&format!("/api/v1/webhooks?search={query}"))
        .await;
    let export = "/api/v1/webhooks/export?environment=production";
    let document = platform.get(&format!("{export}&secrets=true")).await;
    let import = "/api/v1/webhooks/import?environment=staging";
    platform.post(import, &document).await;
    platform
        .patch(&webhook.path, &json!({"url": format!("{url}#wrong")}))
        .await;
    platform
        .patch(&webhook.path, &json!({"url_is_secret": false, "url": url}))
        .await;
    platform.get(export).await;
}

/// Creates a webhook once, with a key for repeats, and asks the portal to check the URL.
async fn repeat(platform: &Platform, chat: &Chat) {
    let body = json!({"name": Uuid::new_v4(), "url": chat.url, "environment": "development",
        "event_types": ["*"], "format": "slack"});
    for _ in 0..2 {
        let request = platform.request(Method::POST, "/api/v1/webhooks");
        let request = request
            .header("Idempotency-Key", &chat.webhook.id)
            .json(&body);
        let answer = request.send().await.expect("a response");
        assert!(!answer.text().await.expect("text").contains(&chat.secret));
    }
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("url", &chat.url)
        .append_pair("csrf", &form_token(&visitor).await)
        .finish();
    let checked = visitor.post("/admin/webhooks/check-url", form).await;
    assert_eq!(checked.status(), 200);
}

/// The token of the portal's forms.
async fn form_token(visitor: &Visitor) -> String {
    let page = visitor.get("/admin/webhooks/new").await.text().await;
    let page = page.expect("text");
    let (_, token) = page.split_once("name=\"csrf\" value=\"").expect("a form");
    token.split('"').next().unwrap_or_default().to_owned()
}

/// A dump of all tables as text.
async fn dump(platform: &Platform) -> String {
    let mut dump = Command::new("pg_dump");
    let url = &platform.world.database.url;
    let dump = dump
        .args(["--data-only", "--inserts", "--dbname", url])
        .output()
        .await;
    let dump = dump.expect("pg_dump runs");
    assert!(
        dump.status.success(),
        "{}",
        String::from_utf8_lossy(&dump.stderr)
    );
    String::from_utf8_lossy(&dump.stdout).into_owned()
}

/// The pages of a webhook and of its deliveries, as a viewer sees the pages.
async fn pages(platform: &Platform, webhook: &CreatedWebhook, deliveries: &[Value]) -> String {
    let key = Service::new_key(&platform.world, "viewer").await;
    let visitor = Visitor::sign_in(&platform.api, &key).await;
    let mut paths = vec![
        "/admin/webhooks".to_owned(),
        "/admin/audit".to_owned(),
        "/admin/webhooks.csv".to_owned(),
        webhook.page.clone(),
        format!("{}/diagnosis", webhook.page),
    ];
    let deliveries = json!(deliveries);
    let ids = each(&deliveries, "id");
    paths.extend(
        ids.iter()
            .map(|id| format!("/admin/webhook-deliveries/{id}")),
    );
    let mut all = String::new();
    for path in paths {
        let page = visitor.get(&path).await;
        assert_eq!(page.status(), 200, "{path}");
        all.push_str(&page.text().await.expect("text"));
    }
    all
}

/// All that the run leaves behind.
async fn sources(platform: &Platform, webhook: &CreatedWebhook) -> Vec<Source> {
    let metrics = platform
        .client
        .get(format!("{}/metrics", platform.dispatcher.url));
    let metrics = metrics.send().await.expect("metrics").text().await;
    let (told, deliveries) = (
        platform.world.broker.told().await,
        platform.read_deliveries().await,
    );
    let of_webhook = |name, text| (name, text, webhook.id.clone());
    let webhooks = platform.get("/api/v1/webhooks?limit=200").await;
    let all = [
        of_webhook("log of the API", platform.api.log().join("\n")),
        of_webhook(
            "log of the dispatcher",
            platform.dispatcher.log().join("\n"),
        ),
        of_webhook(
            "audit log",
            platform.get("/api/v1/audit?limit=200").await.to_string(),
        ),
        (
            "metrics",
            metrics.expect("text"),
            "webhook_attempts_total".to_owned(),
        ),
        of_webhook("status messages", json!(told).to_string()),
        of_webhook("webhooks", webhooks.to_string()),
        of_webhook("deliveries", json!(deliveries).to_string()),
        of_webhook("pages", pages(platform, webhook, &deliveries).await),
        of_webhook("dump", dump(platform).await),
    ];
    all.into_iter()
        .map(|(name, text, marker)| Source { name, text, marker })
        .collect()
}

/// Whether a text holds a secret, as written or as hexadecimal bytes.
fn holds(text: &str, secret: &str) -> bool {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    text.contains(secret) || text.contains(&hex)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_leaves_no_url_of_a_chat_service_behind() {
    let (platform, echo) = (talkative().await, echo().await);
    let (slack, discord) = (FakeSlack::start().await, FakeDiscord::start().await);
    let teams = FakeTeams::start().await;
    let kept = |url: String, secret: &str| (url, secret.to_owned());
    let chats = [
        create(&platform, "slack", kept(slack.url(), slack.secret())).await,
        create(&platform, "discord", kept(discord.url(), discord.secret())).await,
        create(&platform, "teams", kept(teams.url(), teams.secret())).await,
        create(&platform, "slack", slack_at(echo.port())).await,
        create(&platform, "teams", slack_at(9)).await,
    ];

    deliver_and_manage(&platform, &slack, &chats).await;
    let sources = sources(&platform, &chats[0].webhook).await;

    for Source { name, text, marker } in &sources {
        assert!(
            holds(text, marker),
            "the scan does not read the {name}: {text:.2000}"
        );
        let found = chats.iter().filter(|chat| holds(text, &chat.secret));
        let found: Vec<&str> = found.map(|chat| chat.url.as_str()).collect();
        assert!(found.is_empty(), "the {name} holds {found:?}");
    }
    platform.end().await;
}

/// Delivers to every webhook, manages every webhook, and sets the first one Inactive by an answer of Slack.
async fn deliver_and_manage(platform: &Platform, slack: &FakeSlack, chats: &[Chat]) {
    let publish = async || {
        platform
            .publish(Environment::Production, EventType::LicenseActivated)
            .await;
    };
    publish().await;
    slack.arrived(1).await;
    for chat in chats {
        manage(platform, chat).await;
        repeat(platform, chat).await;
    }
    slack.answer_with(SlackAnswer::NoService);
    publish().await;
    let stopped = async || {
        let read = platform.get(&chats[0].webhook.path).await;
        read["disabled_reason"].is_string()
    };
    platform.until("Slack stops the webhook", stopped).await;
    let pending = async || platform.world.database.pending().await;
    platform
        .world
        .becomes("pending deliveries", 0, pending)
        .await;
    let told = async || platform.world.broker.messages_in("status").await > 0;
    platform.until("services are told", told).await;
}
