use bytes::Bytes;
use uuid::Uuid;
use webhook_domain::{
    AddressPolicy, BodyFormat, CustomHeaders, DeliveryOptions, Environment, Event, EventSelection,
    EventType, Metadata, SigningSecret, TargetUrl, UrlSchemes, WebhookDescription, WebhookId,
    WebhookName, WebhookSettings, WebhookStatus, WebhookUrl,
};
use webhook_store::webhooks::{self, Webhook};
use webhook_store::{Connection, RawConnection, SealingKeys, StoreError, transaction};

use crate::SEALING_KEY;

/// A fresh event with the example data of its type.
pub fn event(environment: Environment, event_type: EventType) -> Event {
    event_with(environment, event_type, event_type.example())
}

/// `count` fresh `license.activated` events of production.
pub fn events(count: usize) -> Vec<Event> {
    let fresh = |_| event(Environment::Production, EventType::LicenseActivated);
    (0..count).map(fresh).collect()
}

/// A fresh event with this `data`.
pub fn event_with(environment: Environment, event_type: EventType, data: &str) -> Event {
    let id = Uuid::now_v7();
    let body = format!(
        r#"{{"id":"{id}","type":"{event_type}","environment":"{environment}","timestamp":"2026-11-23T08:15:30.123Z","data":{data}}}"#
    );
    Event::parse(Bytes::from(body)).expect("a good event")
}

/// The body of an event as text.
pub fn text_of(event: &Event) -> String {
    String::from_utf8(event.body.to_vec()).expect("an event is text")
}

/// A secret that no other webhook has.
pub fn new_secret() -> SigningSecret {
    let mut bytes = [7; 32];
    bytes[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    SigningSecret::from_random(bytes)
}

/// A webhook before it is stored. [`WebhookSample::at`] makes one that is Active in production and
/// wants every event.
pub struct WebhookSample<'a> {
    /// The target URL; loopback is allowed.
    pub url: &'a str,
    /// The environment whose events the webhook gets.
    pub environment: Environment,
    /// Active or Inactive.
    pub status: WebhookStatus,
    /// The event selection, such as `license.*`.
    pub patterns: &'a [&'a str],
    /// The secret that signs requests.
    pub secret: SigningSecret,
    /// How the bodies of the requests are written.
    pub body: BodyFormat,
    /// Limits, order and retry policy.
    pub delivery_options: DeliveryOptions,
}

impl<'a> WebhookSample<'a> {
    /// A webhook at `url`.
    pub fn at(url: &'a str) -> Self {
        Self {
            url,
            environment: Environment::Production,
            status: WebhookStatus::Active,
            patterns: &["*"],
            secret: new_secret(),
            body: BodyFormat::Json,
            delivery_options: DeliveryOptions::default(),
        }
    }

    /// The webhook with limits, an order or a retry policy.
    pub fn served(self, delivery_options: DeliveryOptions) -> Self {
        Self {
            delivery_options,
            ..self
        }
    }

    /// Stores the webhook and reads it back.
    pub async fn store(&self, connection: &mut Connection) -> Webhook {
        let stored = transaction(connection, async |connection| {
            let id = self.insert(connection).await?;
            webhooks::find(connection, id).await
        });
        stored
            .await
            .expect("the webhook is stored")
            .expect("the webhook exists")
    }

    async fn insert(&self, connection: &mut RawConnection) -> Result<WebhookId, StoreError> {
        let (id, settings) = (WebhookId(Uuid::now_v7()), self.settings());
        webhooks::insert(connection, &sealing_keys(), id, &settings, &self.secret).await?;
        Ok(id)
    }

    fn settings(&self) -> WebhookSettings {
        let addresses = AddressPolicy {
            allowed: vec!["127.0.0.0/8".parse().expect("a network")],
        };
        let url = WebhookUrl::parse(self.url, UrlSchemes::HttpAllowed, &addresses);
        let patterns = self.patterns.iter().map(|p| p.parse().expect("a pattern"));
        WebhookSettings {
            name: WebhookName::parse("Receiver").expect("a name"),
            url: TargetUrl::open(url.expect("a good URL")).into(),
            environment: self.environment,
            description: WebhookDescription::default(),
            status: self.status,
            events: EventSelection::new(patterns).expect("a selection is not empty"),
            body: self.body.clone(),
            headers: CustomHeaders::default(),
            metadata: Metadata::default(),
            delivery_options: self.delivery_options.clone(),
        }
    }
}

/// Stores many webhooks in one transaction.
pub async fn store_all(connection: &mut Connection, samples: &[WebhookSample<'_>]) {
    let stored = transaction(connection, async |connection| {
        for sample in samples {
            sample.insert(connection).await?;
        }
        Ok::<(), StoreError>(())
    });
    stored.await.expect("the webhooks are stored");
}

/// Sets a webhook Active or Inactive, as an admin would.
pub async fn set_status(connection: &mut Connection, id: WebhookId, status: WebhookStatus) {
    let saved = transaction(connection, async |connection| {
        let before = webhooks::lock(connection, id)
            .await?
            .expect("the webhook exists");
        let after = WebhookSettings {
            status,
            ..before.settings.clone()
        };
        webhooks::save(connection, &sealing_keys(), &before, &after).await
    });
    saved.await.expect("the webhook is saved");
}

/// The sealing keys of all tests, from [`SEALING_KEY`].
pub fn sealing_keys() -> SealingKeys {
    SealingKeys::parse(SEALING_KEY).expect("a key")
}
