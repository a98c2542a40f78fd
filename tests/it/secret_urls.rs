//! URLs that are passwords: what responses show, who may see the whole URL, and how such URLs are kept, changed,
//! searched, exported and sealed.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{CreatedWebhook, FakeSlack, Platform, Service, length_of};

mod leaks;
mod portal;
mod sealing;

/// A URL of Slack, of which nobody listens at the path.
const SLACK: &str = "https://hooks.slack.com/services/T00000000/B00000000/w2XyZ9AbCdEfGhIjKlMnOpQr";

/// The same as responses show the URL.
const SLACK_SHOWN: &str = "https://hooks.slack.com/…OpQr";

/// A URL of another integration of Slack.
const OTHER_SLACK: &str =
    "https://hooks.slack.com/services/T00000000/B11111111/aaaaaaaaaaaaaaaaaaaaOpQr";

/// A URL at a host that is no chat service's own.
const PLAIN: &str =
    "https://chat.example.com/services/T00000000/B00000000/w2XyZ9AbCdEfGhIjKlMnOpQr";

/// The same as responses show the URL while the URL is secret.
const PLAIN_SHOWN: &str = "https://chat.example.com/…OpQr";

/// An Inactive webhook with a format and a URL.
async fn webhook_in(platform: &Platform, format: &str, url: &str) -> CreatedWebhook {
    let webhook = platform.webhook("Chat").at(url).inactive();
    webhook.with(&json!({"format": format})).create().await
}

/// The whole URL of a webhook, as the API reveals the URL.
async fn revealed(platform: &Platform, webhook: &CreatedWebhook) -> Value {
    let revealed = platform.get(&format!("{}/url", webhook.path)).await;
    revealed["url"].clone()
}

/// The URL and the secrecy that a response shows.
fn shown(webhook: &Value) -> (&str, bool) {
    let url = webhook["url"].as_str().unwrap_or_default();
    (url, webhook["url_is_secret"] == true)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_of_a_chat_webhook_is_shown_as_host_and_last_four() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("Chat").at(SLACK).inactive();
    let webhook = webhook.with(&json!({"format": "slack"})).create().await;

    let read = platform.get(&webhook.path).await;
    let listed = platform.get("/api/v1/webhooks").await;
    let csv = platform.request(Method::GET, "/api/v1/webhooks.csv");
    let csv = csv.send().await.expect("a response").text().await;

    assert_eq!(shown(&read), (SLACK_SHOWN, true));
    assert_eq!(shown(&listed["data"][0]), (SLACK_SHOWN, true));
    assert!(csv.is_ok_and(|csv| csv.contains(SLACK_SHOWN)));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_showing_of_a_whole_url_is_audited_and_viewers_get_none() {
    let mut platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;
    let path = format!("{}/url", webhook.path);

    let answer = platform.request(Method::GET, &path).send().await;
    let answer = answer.expect("a response");
    let audit = format!(
        "/api/v1/audit?webhook_id={}&action=webhook.url_read",
        webhook.id
    );
    let audit = platform.get(&audit).await;
    platform.key = Service::new_key(&platform.world, "viewer").await;
    let (refused, _) = platform.ask(Method::GET, &path, None).await;

    assert_eq!(answer.headers()["cache-control"], "no-store");
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body, json!({"url": SLACK, "url_is_secret": true}));
    assert_eq!((length_of(&audit), refused.as_u16()), (1, 403));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_were_read_can_be_put_back_and_keep_the_url_and_the_version() {
    let platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;
    let read = platform.get(&webhook.path).await;
    let fields = [
        "name",
        "url",
        "url_is_secret",
        "environment",
        "event_types",
        "format",
        "status",
    ];
    let put: Value = fields
        .iter()
        .map(|name| ((*name).to_owned(), read[*name].clone()))
        .collect();

    let (status, kept) = platform
        .ask(Method::PUT, &webhook.path, Some(put.to_string()))
        .await;
    let patched = platform
        .change(&webhook, &json!({"url": SLACK_SHOWN}))
        .await;
    let repeated = platform.change(&webhook, &json!({"url": SLACK})).await;

    assert_eq!(status, 200, "{kept}");
    for kept in [kept, patched, repeated] {
        assert_eq!(
            (shown(&kept), &kept["version"]),
            ((SLACK_SHOWN, true), &json!(1))
        );
    }
    assert_eq!(revealed(&platform, &webhook).await, SLACK);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_url_with_the_same_end_is_a_change_that_the_audit_log_shows_masked() {
    let platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;

    let changed = platform
        .change(&webhook, &json!({"url": OTHER_SLACK}))
        .await;
    let audit = platform.get("/api/v1/audit?action=webhook.updated").await;

    assert_eq!(changed["version"], 2);
    assert_eq!(revealed(&platform, &webhook).await, OTHER_SLACK);
    let entry = &audit["data"][0];
    assert_eq!(entry["before"]["url"], SLACK_SHOWN, "{entry}");
    assert_eq!(entry["after"]["url"], SLACK_SHOWN, "{entry}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrecy_of_a_url_is_a_choice_except_for_chat_formats() {
    let platform = Platform::new().await;
    let chat = webhook_in(&platform, "slack", PLAIN).await;
    let plain = webhook_in(&platform, "json", PLAIN).await;

    let (refused, reason) = platform
        .patch(&chat.path, &json!({"url_is_secret": false}))
        .await;
    let chosen = platform
        .change(&plain, &json!({"url_is_secret": true}))
        .await;
    let (unseen, why) = platform
        .patch(&plain.path, &json!({"url_is_secret": false}))
        .await;
    let open = json!({"url_is_secret": false, "url": PLAIN});
    let open = platform.change(&plain, &open).await;

    assert_eq!((refused.as_u16(), unseen.as_u16()), (422, 422));
    assert_eq!(reason["errors"][0]["field"], "url_is_secret", "{reason}");
    assert_eq!(why["errors"][0]["field"], "url", "{why}");
    assert_eq!(
        (shown(&chosen), shown(&open)),
        ((PLAIN_SHOWN, true), (PLAIN, false))
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_at_a_chat_service_is_secret_in_every_format_and_stays_so_when_all_settings_are_replaced()
 {
    let platform = Platform::new().await;
    let at_slack = webhook_in(&platform, "json", SLACK).await;
    let chosen = webhook_in(&platform, "json", PLAIN).await;
    platform
        .change(&chosen, &json!({"url_is_secret": true}))
        .await;
    let all =
        json!({"name": "Chat", "url": PLAIN, "environment": "production", "event_types": ["*"]});

    let read = platform.get(&at_slack.path).await;
    let put = platform
        .ask(Method::PUT, &chosen.path, Some(all.to_string()))
        .await
        .1;

    assert_eq!(shown(&read), (SLACK_SHOWN, true));
    assert_eq!(shown(&put), (PLAIN_SHOWN, true));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_becomes_secret_is_masked_in_earlier_entries_of_the_audit_log() {
    let platform = Platform::new().await;
    let webhook = webhook_in(&platform, "json", PLAIN).await;
    let before = platform.get("/api/v1/audit").await.to_string();

    let changed = platform.change(&webhook, &json!({"format": "slack"})).await;
    let after = platform.get("/api/v1/audit").await.to_string();

    assert_eq!(shown(&changed), (PLAIN_SHOWN, true));
    assert!(before.contains(PLAIN) && !after.contains(PLAIN), "{after}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shown_form_is_no_url_of_another_or_a_new_webhook() {
    let platform = Platform::new().await;
    let plain = webhook_in(&platform, "json", "https://hooks.slack.com/services/open").await;
    let new = json!({"name": "New", "url": SLACK_SHOWN, "environment": "production", "event_types": ["*"]});

    let (created, reason) = platform.post("/api/v1/webhooks", &new).await;
    let (changed, _) = platform
        .patch(&plain.path, &json!({"url": SLACK_SHOWN}))
        .await;

    assert_eq!((created.as_u16(), changed.as_u16()), (422, 422));
    let told = reason["errors"][0]["reason"].as_str().unwrap_or_default();
    assert!(told.contains("whole URL"), "{reason}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_a_secret_url_by_name_by_host_by_its_end_and_as_a_whole() {
    let mut platform = Platform::new().await;
    webhook_in(&platform, "slack", SLACK).await;
    webhook_in(&platform, "slack", OTHER_SLACK).await;
    platform.key = Service::new_key(&platform.world, "viewer").await;
    let found = async |text: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("search", text)
            .finish();
        length_of(&platform.get(&format!("/api/v1/webhooks?{query}")).await)
    };

    assert_eq!(
        (found("chat").await, found("hooks.slack.com").await),
        (2, 2)
    );
    assert_eq!((found("OpQr").await, found(SLACK_SHOWN).await), (2, 2));
    assert_eq!(
        (found(SLACK).await, found(&format!(" {OTHER_SLACK} ")).await),
        (1, 1)
    );
    assert_eq!(
        (found("w2XyZ9AbCdEf").await, found(&SLACK[..70]).await),
        (0, 0)
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_shows_the_whole_url_with_secrets_only_and_its_import_keeps_the_url() {
    let platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;
    let export = "/api/v1/webhooks/export?environment=production";
    let import = "/api/v1/webhooks/import?environment=production";

    let masked = platform.get(export).await;
    let whole = platform.get(&format!("{export}&secrets=true")).await;
    let (_, kept) = platform.post(import, &masked).await;
    let (_, repeated) = platform.post(import, &whole).await;
    let elsewhere = import.replace("production", "staging");
    let (refused, reason) = platform.post(&elsewhere, &masked).await;
    let (_, copied) = platform.post(&elsewhere, &whole).await;

    assert_eq!(shown(&masked["webhooks"][0]), (SLACK_SHOWN, true));
    assert_eq!(shown(&whole["webhooks"][0]), (SLACK, true));
    assert_eq!(
        (&kept["unchanged"], &repeated["unchanged"]),
        (&json!(1), &json!(1)),
        "{kept}"
    );
    assert_eq!(
        (refused.as_u16(), &copied["created"]),
        (422, &json!(1)),
        "{reason}"
    );
    assert_eq!(reason["errors"][0]["field"], "webhooks[0].url");
    assert_eq!(revealed(&platform, &webhook).await, SLACK);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_another_environment_keeps_the_secret_url_of_the_same_host() {
    let platform = Platform::new().await;
    webhook_in(&platform, "slack", SLACK).await;
    let target = platform.webhook("Chat").environment("staging").inactive();
    let target = target.at("https://hooks.slack.com/services/T0/B2/its-own-secret-w0rd");
    let target = target.with(&json!({"format": "slack"})).create().await;

    let masked = platform
        .get("/api/v1/webhooks/export?environment=production")
        .await;
    let (status, imported) = platform
        .post("/api/v1/webhooks/import?environment=staging", &masked)
        .await;

    assert_eq!(status, 200, "{imported}");
    let url = revealed(&platform, &target).await;
    assert_eq!(
        url,
        "https://hooks.slack.com/services/T0/B2/its-own-secret-w0rd"
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_go_to_the_sealed_url_and_their_transcripts_show_it_masked() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    let webhook = platform.webhook("Chat").at(&slack.url());
    webhook.with(&json!({"format": "slack"})).create().await;

    platform.publish_fresh().await;
    slack.arrived(1).await;
    platform.delivered(1).await;
    let delivery = platform.read_deliveries().await[0].to_string();

    assert!(!delivery.contains(slack.secret()), "{delivery}");
    let end = &slack.url()[slack.url().len() - 4..];
    assert!(delivery.contains(&format!("/…{end}\"")), "{delivery}");
    platform.end().await;
}
