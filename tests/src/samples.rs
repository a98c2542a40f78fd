use bytes::Bytes;
use uuid::Uuid;
use webhook_domain::{
    AddressPolicy, Environment, Event, EventType, SigningSecret, UrlSchemes, WebhookDescription,
    WebhookId, WebhookName, WebhookStatus, WebhookUrl,
};
use webhook_store::webhooks::{self, NewWebhook, Webhook};
use webhook_store::{Connection, SealingKey};

/// A fresh event.
pub fn event(environment: Environment, event_type: EventType) -> Event {
    event_with(environment, event_type, event_type.example())
}

/// A fresh event with this `data`.
pub fn event_with(environment: Environment, event_type: EventType, data: &str) -> Event {
    let id = Uuid::now_v7();
    let body = format!(
        r#"{{"id":"{id}","type":"{event_type}","environment":"{environment}","timestamp":"2026-11-23T08:15:30.123Z","data":{data}}}"#
    );
    Event::parse(Bytes::from(body)).expect("a good event")
}

/// A secret nobody else has.
pub fn new_secret() -> SigningSecret {
    let mut bytes = [7; 32];
    bytes[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    SigningSecret::from_random(bytes)
}

/// Stores a webhook that wants `patterns` and is never called.
pub async fn store_webhook(
    connection: &mut Connection,
    key: &SealingKey,
    environment: Environment,
    status: WebhookStatus,
    patterns: &[&str],
) -> Webhook {
    let url = "https://hooks.example.com/in";
    let (secret, place) = (new_secret(), (environment, status));
    store_webhook_at(connection, key, url, &secret, place, patterns).await
}

/// Stores a webhook at `url`, which may be on loopback.
pub async fn store_webhook_at(
    connection: &mut Connection,
    key: &SealingKey,
    url: &str,
    secret: &SigningSecret,
    (environment, status): (Environment, WebhookStatus),
    patterns: &[&str],
) -> Webhook {
    let addresses = AddressPolicy {
        allowed: vec!["127.0.0.0/8".parse().expect("a network")],
    };
    let url = WebhookUrl::parse(url, UrlSchemes::HttpAllowed, &addresses).expect("a good URL");
    let patterns: Vec<_> = patterns
        .iter()
        .map(|p| p.parse().expect("a pattern"))
        .collect();
    let new = NewWebhook {
        id: WebhookId(Uuid::now_v7()),
        name: &WebhookName::parse("Receiver").expect("a name"),
        url: &url,
        environment,
        description: &WebhookDescription::default(),
        status,
        patterns: &patterns,
        secret,
    };
    webhooks::insert(connection, key, &new)
        .await
        .expect("it is stored")
}
