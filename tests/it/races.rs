//! Changes count from the answer on: two APIs, two dispatchers, 500 webhooks one after the other.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{Platform, Receiver, Service, event, path_of};

/// The number of webhooks.
const ROUNDS: usize = 500;

/// The number of webhooks at once. Each webhook of the moment has a type of event alone.
const AT_ONCE: usize = 10;

/// Two replicas of the API, taken in turn.
struct Replicas {
    urls: [String; 2],
    client: reqwest::Client,
    key: String,
}

impl Replicas {
    fn of(platform: &Platform, second: &Service) -> Self {
        Self {
            urls: [platform.api.url.clone(), second.url.clone()],
            client: platform.client.clone(),
            key: platform.key.clone(),
        }
    }

    /// Waits until both replicas are ready.
    async fn are_ready(&self, platform: &Platform) {
        for url in &self.urls {
            let ready = async || {
                let answer = self.client.get(format!("{url}/readyz")).send().await;
                answer.is_ok_and(|answer| answer.status() == 200)
            };
            platform.until("the replica is ready", ready).await;
        }
    }

    async fn ask(&self, replica: usize, method: Method, path: &str, body: String) -> Value {
        let url = format!("{}{path}", self.urls[replica % 2]);
        let request = self.client.request(method, url).bearer_auth(&self.key);
        let request = request
            .header("Content-Type", "application/json")
            .body(body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or_default()
    }

    async fn publish(&self, replica: usize, event_type: EventType) -> EventId {
        let event = event(Environment::Production, event_type);
        let body = String::from_utf8(event.body.to_vec()).expect("text");
        self.ask(replica, Method::POST, "/api/v1/events", body)
            .await;
        event.id
    }
}

/// Creates a webhook, publishes, waits for the request, sets the webhook Inactive, publishes again.
/// Returns the id of the unwanted event and the id of the webhook.
async fn round(
    api: &Replicas,
    receiver: &Receiver,
    number: usize,
    event_type: EventType,
) -> (EventId, String) {
    let webhook = json!({"name": format!("{number}"), "url": receiver.url,
        "environment": "production", "event_types": [event_type.as_str()]});
    let made = api.ask(
        number,
        Method::POST,
        "/api/v1/webhooks",
        webhook.to_string(),
    );
    let made = made.await;
    let wanted = api.publish(number + 1, event_type).await.to_string();
    let arrived = || {
        receiver
            .received()
            .iter()
            .any(|r| r.headers["webhook-id"] == wanted)
    };
    let mut waits = tokio::time::interval(Duration::from_millis(5));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !arrived() {
        waits.tick().await;
        let now = tokio::time::Instant::now();
        assert!(now < deadline, "webhook {number} never got the event");
    }
    let path = format!("{}/deactivate", path_of(&made));
    api.ask(number, Method::POST, &path, "{}".to_owned()).await;
    let unwanted = api.publish(number + 1, event_type).await;
    (unwanted, made["id"].as_str().expect("an id").to_owned())
}

/// Runs [`ROUNDS`] rounds, [`AT_ONCE`] side by side, and returns the unwanted events with the webhooks.
async fn all_rounds(api: Arc<Replicas>) -> Vec<(EventId, String)> {
    let mut lines = JoinSet::new();
    for line in 0..AT_ONCE {
        let (api, event_type) = (api.clone(), EventType::ALL[line]);
        lines.spawn(async move {
            let receiver = Receiver::answering(&[]).await;
            let mut unwanted = Vec::new();
            for number in (line..ROUNDS).step_by(AT_ONCE) {
                unwanted.push(round(&api, &receiver, number, event_type).await);
            }
            unwanted
        });
    }
    lines.join_all().await.concat()
}

/// The number of deliveries among pairs of an event and a webhook.
async fn owed(platform: &Platform, pairs: &[(EventId, String)]) -> i64 {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(event, webhook)| format!("('{event}', '{webhook}')"))
        .collect();
    let pairs = pairs.join(", ");
    let sql = format!("SELECT count(*) FROM deliveries WHERE (event_id, webhook_id) IN ({pairs})");
    platform.world.database.ask(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_every_event_after_its_creation_and_none_after_its_deactivation() {
    let platform = Platform::new().await;
    let second_dispatcher = Service::dispatcher(&platform.world);
    let second_api = Service::api(&platform.world).await;
    let api = Arc::new(Replicas::of(&platform, &second_api));
    api.are_ready(&platform).await;

    let unwanted = all_rounds(api).await;

    let (world, database) = (&platform.world, &platform.world.database);
    world
        .becomes("events taken in", 1_000, || database.events())
        .await;
    assert_eq!(unwanted.len(), ROUNDS);
    assert_eq!(owed(&platform, &unwanted).await, 0);
    second_dispatcher.kill().await;
    second_api.kill().await;
    platform.end().await;
}
