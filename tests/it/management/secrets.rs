//! Secrets shown, replaced, and sealed anew.

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventId, EventType, SigningSecret, sign};
use webhook_tests::{Platform, Received, Receiver, SEALING_KEY, Service, new_secret};

use crate::management::{each, fields};

async fn rotate(platform: &Platform, path: &str, body: Value) -> Value {
    let (status, answer) = platform.post(&format!("{path}/secret/rotate"), &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The next request that arrives.
async fn next(platform: &Platform, receiver: &Receiver) -> Received {
    let before = receiver.count();
    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    let arrived = async || receiver.received().into_iter().nth(before);
    platform
        .world
        .eventually("the request arrives", arrived)
        .await
}

/// Whether a request is signed by exactly these, in both schemes.
fn is_signed_by(request: &Received, secrets: &[&str]) -> bool {
    let secrets: Vec<_> = secrets
        .iter()
        .map(|s| SigningSecret::parse(s).expect("one"))
        .collect();
    let id: EventId = request.headers["webhook-id"].parse().expect("an id");
    let at = request.headers["webhook-timestamp"]
        .parse()
        .expect("a time");
    let expected = sign(secrets.iter(), id, at, &request.body);
    request.headers["x-webhook-signature"] == expected.platform
        && request.headers["webhook-signature"] == expected.standard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_signs_until_its_grace_period_is_over() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let created = platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    let path = webhook_tests::path_of(&created);
    let first = created["secret"].as_str().expect("a secret");
    let given = new_secret().reveal().to_owned();

    let before = next(&platform, &receiver).await;
    let rotated = rotate(
        &platform,
        &path,
        json!({"secret": given, "grace_period": "1h"}),
    )
    .await;
    let during = next(&platform, &receiver).await;
    // The version tells the dispatcher that something changed.
    let soon = "UPDATE previous_secrets SET valid_until = now() + interval '3 s';
        UPDATE webhooks SET version = version + 1";
    platform.world.database.execute(soon).await;
    let still = next(&platform, &receiver).await;
    let over = async || {
        let request = next(&platform, &receiver).await;
        is_signed_by(&request, &[&given]).then_some(())
    };
    platform
        .world
        .eventually("the grace period is over", over)
        .await;
    let leaked = rotate(&platform, &path, json!({"grace_period": "0"})).await;
    let after = next(&platform, &receiver).await;

    assert!(is_signed_by(&before, &[first]));
    assert_eq!(rotated["secret"], given);
    assert_eq!(rotated["previous"][0]["secret"], first);
    assert!(is_signed_by(&during, &[&given, first]));
    assert!(is_signed_by(&still, &[&given, first]));
    assert_eq!(leaked["previous"], json!([]));
    assert!(is_signed_by(
        &after,
        &[leaked["secret"].as_str().expect("a secret")]
    ));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_three_secrets_sign_and_the_oldest_goes_first() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;

    let mut secrets = Vec::new();
    // Whatever the grace periods are, what was replaced last is what receivers have.
    for grace_period in ["7d", "6d", "5d", "1h"] {
        let rotated = rotate(&platform, &path, json!({"grace_period": grace_period})).await;
        secrets.push(rotated["secret"].as_str().expect("a secret").to_owned());
    }
    let shown = platform.get(&format!("{path}/secret")).await;

    assert_eq!(shown["secret"], secrets[3]);
    assert_eq!(
        each(&shown["previous"], "secret"),
        [&secrets[2], &secrets[1]]
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_showing_of_a_secret_is_written_down_and_viewers_get_none() {
    let mut platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    let id = path.rsplit('/').next().expect("an id").to_owned();

    platform.get(&format!("{path}/secret")).await;
    platform.get(&format!("{path}/secret")).await;
    let log = platform
        .get(&format!(
            "/api/v1/audit?webhook_id={id}&action=webhook.secret_read"
        ))
        .await;
    platform.key = Service::new_key(&platform.world, "viewer").await;
    let (refused, _) = platform
        .ask(Method::GET, &format!("{path}/secret"), None)
        .await;
    let read = platform.get(&path).await;

    assert_eq!(log["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(refused, 403);
    assert!(!read.to_string().contains("whsec_"));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_none_is_refused_with_the_reason() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    for body in [
        json!({"secret": "whsec_short"}),
        json!({"secret": "sk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}),
        json!({"secret": "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD"}),
        json!({"secret": "whsec_AAAA"}),
    ] {
        let (status, problem) = platform.post(&format!("{path}/secret/rotate"), &body).await;

        assert_eq!(
            (status.as_u16(), fields(&problem)),
            (422, vec!["secret"]),
            "{body}"
        );
    }
    let (status, _) = platform
        .post(
            &format!("{path}/secret/rotate"),
            &json!({"grace_period": "8d"}),
        )
        .await;
    assert_eq!(status, 422);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealing_key_is_replaced_while_everything_runs() {
    const NEW_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
    let mut platform = Platform::new().await;
    let created = platform
        .create_webhook("http://127.0.0.1:9/", "production", "active", &["*"])
        .await;
    let path = webhook_tests::path_of(&created);
    platform
        .patch(&path, &json!({"headers": {"X-Token": "42"}}))
        .await;
    rotate(&platform, &path, json!({})).await;
    // The new key is there already when a secret is replaced once more.
    let both = format!("{NEW_KEY},{SEALING_KEY}");
    platform.api = Service::api_with(&platform.world, &[("WEBHOOK_SECRET_KEY", &both)]).await;
    rotate(&platform, &path, json!({})).await;
    let before = platform.get(&format!("{path}/secret")).await;

    let printed = Service::reseal(&platform.world, &both).await;
    let again = Service::reseal(&platform.world, &both).await;
    let with_new_key = [("WEBHOOK_SECRET_KEY", NEW_KEY)];
    platform.api = Service::api_with(&platform.world, &with_new_key).await;
    let after = platform.get(&format!("{path}/secret")).await;
    let export = platform
        .get("/api/v1/webhooks/export?environment=production&secrets=true")
        .await;

    assert!(
        printed.contains("of 1 webhooks") && again.contains("of 0 webhooks"),
        "{printed}{again}"
    );
    assert_eq!(after, before);
    assert_eq!(export["webhooks"][0]["headers"], json!({"x-token": "42"}));
    platform.end().await;
}
