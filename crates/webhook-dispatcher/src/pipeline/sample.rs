//! Samples of a leased delivery and of a destination, for the unit tests of the pipeline.

use bytes::Bytes;
use chrono::DateTime;
use uuid::Uuid;
use webhook_domain::{
    AddressPolicy, BodyFormat, CustomHeaders, DeliveryId, Environment, Event, EventId, EventType,
    RetryPolicy, SigningSecret, TargetUrl, UrlSchemes, WebhookId, WebhookUrl,
};
use webhook_store::destinations::Destination;
use webhook_store::secrets::Secrets;
use webhook_store::{LeasedDelivery, LeasedFrom};

/// The delivery of an event to the webhook 1, from the backlog. The delivery and the event have the id `number`,
/// and the body is empty.
pub(super) fn leased(number: u128, attempts: i32) -> LeasedDelivery {
    LeasedDelivery {
        id: DeliveryId(Uuid::from_u128(number)),
        webhook_id: WebhookId(Uuid::from_u128(1)),
        webhook_version: 1,
        max_concurrency: None,
        rate_limited: false,
        attempts,
        schedule_from: 0,
        schedule_since: DateTime::UNIX_EPOCH,
        throttled: 0,
        ordering_key: None,
        event: Event {
            id: EventId(Uuid::from_u128(number)),
            event_type: EventType::LicenseCreated,
            environment: Environment::Production,
            timestamp: DateTime::UNIX_EPOCH,
            test_for: None,
            trace: None,
            body: Bytes::new(),
        },
        lease_until: DateTime::UNIX_EPOCH,
        leased_from: LeasedFrom::Backlog,
    }
}

/// The delivery of a test event.
pub(super) fn leased_test(number: u128, attempts: i32) -> LeasedDelivery {
    let mut test = leased(number, attempts);
    test.event.test_for = Some(test.webhook_id);
    test
}

/// The webhook 1 in its first version, with an open URL and no headers of the admin.
pub(super) fn destination(url: &str) -> Destination {
    let url = WebhookUrl::parse(url, UrlSchemes::HttpsOnly, &AddressPolicy::default());
    Destination {
        webhook_id: WebhookId(Uuid::from_u128(1)),
        version: 1,
        url: TargetUrl::open(url.expect("a URL")),
        name: "Alerts".to_owned(),
        body: BodyFormat::Json,
        template_version: None,
        secrets: Secrets {
            current: SigningSecret::from_random([1; 32]),
            previous: Vec::new(),
        },
        headers: CustomHeaders::default(),
        policy: RetryPolicy::default(),
    }
}
