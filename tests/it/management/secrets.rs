//! Secrets shown, replaced, and sealed anew.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_tests::{
    CreatedWebhook, Platform, Receiver, SEALING_KEY, Service, each, fields_of, length_of,
    new_secret,
};

async fn rotate(platform: &Platform, webhook: &CreatedWebhook, body: Value) -> Value {
    let path = format!("{}/secret/rotate", webhook.path);
    let (status, answer) = platform.post(&path, &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The API path of a webhook's secret.
fn secret_path(webhook: &CreatedWebhook) -> String {
    format!("{}/secret", webhook.path)
}

/// The webhook secret in a response.
fn secret_of(answer: &Value) -> &str {
    answer["secret"].as_str().expect("a webhook secret")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_signs_beside_its_successor() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    let new = new_secret().reveal().to_owned();

    let before = platform.next_request(&receiver).await;
    let replacement = json!({"secret": new, "grace_period": "1h"});
    let rotated = rotate(&platform, &webhook, replacement).await;
    let during = platform.next_request(&receiver).await;

    assert!(before.is_signed_by(&[&webhook.secret]));
    assert_eq!(rotated["secret"], new);
    assert_eq!(rotated["previous"][0]["secret"], webhook.secret.as_str());
    assert!(during.is_signed_by(&[&new, &webhook.secret]));
    platform.end().await;
}

/// Ends all grace periods in 3 s. The new version of the webhook tells the dispatcher of the
/// change.
const END_GRACE_PERIODS: &str = "UPDATE previous_secrets SET valid_until = now() + interval '3 s';
     UPDATE webhooks SET version = version + 1";

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_signs_until_its_grace_period_is_over() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    let rotated = rotate(&platform, &webhook, json!({"grace_period": "1h"})).await;
    platform.world.database.execute(END_GRACE_PERIODS).await;

    let still = platform.next_request(&receiver).await;
    let over = async || {
        let request = platform.next_request(&receiver).await;
        request.is_signed_by(&[secret_of(&rotated)]).then_some(())
    };
    let world = &platform.world;
    world.eventually("the grace period is over", over).await;

    assert!(still.is_signed_by(&[secret_of(&rotated), &webhook.secret]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_secret_without_a_grace_period_signs_no_more() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;

    let leaked = rotate(&platform, &webhook, json!({"grace_period": "0"})).await;
    let after = platform.next_request(&receiver).await;

    assert_eq!(leaked["previous"], json!([]));
    assert!(after.is_signed_by(&[secret_of(&leaked)]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_three_secrets_sign_and_the_oldest_goes_first() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;

    let mut secrets = Vec::new();
    // The secrets replaced last are valid, for grace periods of any length.
    for grace_period in ["7d", "6d", "5d", "1h"] {
        let rotated = rotate(&platform, &webhook, json!({"grace_period": grace_period})).await;
        secrets.push(rotated["secret"].as_str().expect("a secret").to_owned());
    }
    let shown = platform.get(&secret_path(&webhook)).await;

    assert_eq!(shown["secret"], secrets[3]);
    assert_eq!(
        each(&shown["previous"], "secret"),
        [&secrets[2], &secrets[1]]
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_showing_of_a_secret_is_audited_and_viewers_get_none() {
    let mut platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let secret = secret_path(&webhook);

    platform.get(&secret).await;
    platform.get(&secret).await;
    let audit = format!(
        "/api/v1/audit?webhook_id={}&action=webhook.secret_read",
        webhook.id
    );
    let audit = platform.get(&audit).await;
    platform.key = Service::new_key(&platform.world, "viewer").await;
    let (refused, _) = platform.ask(Method::GET, &secret, None).await;
    let read = platform.get(&webhook.path).await;

    assert_eq!(length_of(&audit), 2);
    assert_eq!(refused, 403);
    assert!(!read.to_string().contains("whsec_"));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_secret_and_a_too_long_grace_period_are_refused_by_field() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let path = format!("{}/secret/rotate", webhook.path);

    for (field, value) in [
        ("secret", "whsec_short"),
        ("secret", "sk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        ("secret", "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD"),
        ("secret", "whsec_AAAA"),
        ("grace_period", "8d"),
    ] {
        let (status, problem) = platform.post(&path, &json!({field: value})).await;

        assert_eq!(status, 422, "{value}");
        assert_eq!(fields_of(&problem), [field], "{value}");
    }
    platform.end().await;
}

/// Starts the API anew with other sealing keys.
async fn restart_with(platform: &mut Platform, sealing_keys: &str) {
    let keys = [("WEBHOOK_SECRET_KEY", sealing_keys)];
    platform.api = Service::api_with(&platform.world, &keys).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealing_key_is_replaced_while_both_programs_run() {
    const NEW_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
    let both_keys = format!("{NEW_KEY},{SEALING_KEY}");
    let mut platform = Platform::new().await;
    let headers = json!({"headers": {"X-Token": "42"}});
    let webhook = platform.webhook("CRM").with(&headers).create().await;
    rotate(&platform, &webhook, json!({})).await;
    // Each rotation seals the replaced secret with another key.
    restart_with(&mut platform, &both_keys).await;
    rotate(&platform, &webhook, json!({})).await;
    let before = platform.get(&secret_path(&webhook)).await;

    let printed = Service::reseal(&platform.world, &both_keys).await;
    let again = Service::reseal(&platform.world, &both_keys).await;
    restart_with(&mut platform, NEW_KEY).await;

    assert!(printed.contains("of 1 webhooks"), "{printed}");
    assert!(again.contains("of 0 webhooks"), "{again}");
    assert_eq!(platform.get(&secret_path(&webhook)).await, before);
    let export = "/api/v1/webhooks/export?environment=production&secrets=true";
    let export = platform.get(export).await;
    assert_eq!(export["webhooks"][0]["headers"], json!({"x-token": "42"}));
    platform.end().await;
}
