//! URLs of the version before, and other keys.

use serde_json::json;
use webhook_tests::{FakeSlack, Platform, SEALING_KEY, Service};

use super::{PLAIN, SLACK, SLACK_SHOWN, revealed, webhook_in};

/// Another key: 32 bytes in base64.
const NEW_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

/// Turns a webhook into a row of the version before: a chat webhook with a whole URL.
async fn write_as_before(platform: &Platform, id: &str, url: &str) {
    let database = &platform.world.database;
    let row = format!(
        "UPDATE webhooks SET format = 'slack', url = '{url}', sealed_url = NULL, url_fingerprint = NULL
         WHERE id = '{id}'"
    );
    database.execute(&row).await;
}

/// How many webhooks, and entries of the audit log, hold a whole URL of Slack.
async fn whole_urls(platform: &Platform) -> i64 {
    let whole = "SELECT (SELECT count(*) FROM webhooks WHERE url LIKE '%/services/%')
        + (SELECT count(*) FROM audit_entries WHERE after::text LIKE '%/services/%')";
    platform.world.database.ask(whole).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_urls_of_chat_webhooks_are_sealed_at_the_start_by_several_replicas_at_once() {
    let platform = Platform::new().await;
    let mut last = None;
    for _ in 0..120 {
        let webhook = webhook_in(&platform, "json", PLAIN).await;
        write_as_before(&platform, &webhook.id, PLAIN).await;
        last = Some(webhook);
    }
    assert_eq!(whole_urls(&platform).await, 240);

    let replicas = tokio::join!(Service::api(&platform.world), Service::api(&platform.world));
    let sealed = async || whole_urls(&platform).await == 0;
    platform.until("every URL is sealed", sealed).await;

    let webhook = last.expect("a webhook");
    assert_eq!(revealed(&platform, &webhook).await, PLAIN);
    assert_eq!(platform.get(&webhook.path).await["version"], 1);
    assert!(replicas.0.terminate().await && replicas.1.terminate().await);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_url_of_a_chat_webhook_is_delivered_to_and_shown_masked_before_it_is_sealed() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    let webhook = platform.webhook("Chat").create().await;
    write_as_before(&platform, &webhook.id, &slack.url()).await;

    platform.publish_fresh().await;
    slack.arrived(1).await;
    platform.delivered(1).await;

    let read = platform.get(&webhook.path).await.to_string();
    let delivery = platform.read_deliveries().await[0].to_string();
    assert!(!read.contains(slack.secret()), "{read}");
    assert!(!delivery.contains(slack.secret()), "{delivery}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_the_version_before_wrote_over_a_sealed_one_counts() {
    let platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;
    let other = "https://hooks.slack.com/services/T0/B0/written-by-another";
    let write = format!(
        "UPDATE webhooks SET url = '{other}' WHERE id = '{}'",
        webhook.id
    );
    platform.world.database.execute(&write).await;

    let read = platform.get(&webhook.path).await;
    let replica = Service::api(&platform.world).await;
    let sealed = async || whole_urls(&platform).await == 0;
    platform.until("the URL is sealed", sealed).await;

    assert_eq!(read["url"], "https://hooks.slack.com/…ther");
    assert_eq!(revealed(&platform, &webhook).await, other);
    assert!(replica.terminate().await);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_seals_urls_anew_and_the_search_finds_them() {
    let mut platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;

    let printed = Service::reseal(&platform.world, &format!("{NEW_KEY},{SEALING_KEY}")).await;
    let variables = [("WEBHOOK_SECRET_KEY", NEW_KEY), ("KEY_RATE_LIMIT", "0")];
    platform.api = Service::api_with(&platform.world, &variables).await;
    let query = url::form_urlencoded::byte_serialize(SLACK.as_bytes()).collect::<String>();
    let found = platform
        .get(&format!("/api/v1/webhooks?search={query}"))
        .await;

    assert!(printed.contains("1 webhooks"), "{printed}");
    assert_eq!(revealed(&platform, &webhook).await, SLACK);
    assert_eq!(found["data"][0]["url"], SLACK_SHOWN, "{found}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_webhook_keeps_no_url() {
    let platform = Platform::new().await;
    let webhook = webhook_in(&platform, "slack", SLACK).await;

    platform.delete(&webhook).await;

    let kept =
        "SELECT count(*) FROM webhooks WHERE sealed_url IS NOT NULL OR url_fingerprint IS NOT NULL";
    assert_eq!(platform.world.database.ask::<i64>(kept).await, 0);
    assert_eq!(whole_urls(&platform).await, 0);
    let audit = platform.get("/api/v1/audit?action=webhook.deleted").await;
    assert_eq!(audit["data"][0]["before"]["url"], json!(SLACK_SHOWN));
    platform.end().await;
}
