//! What counts from an answer on: two APIs, two dispatchers, 500 webhooks one after the other.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use webhook_domain::{Environment, EventId, EventType};
use webhook_tests::{Platform, Receiver, Service, event, path_of};

/// How many webhooks are made.
const ROUNDS: usize = 500;

/// How many at once: each has a type of event to itself, so that it hears of its own events only.
const AT_ONCE: usize = 10;

/// Two replicas of the API, taken in turn.
struct Replicas {
    urls: [String; 2],
    client: reqwest::Client,
    key: String,
}

impl Replicas {
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

/// Makes a webhook, publishes, waits for the request, sets it Inactive, publishes again. Tells the
/// event that it must not get, with its id.
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
        assert!(now < deadline, "webhook {number} never got its event");
    }
    let path = format!("{}/deactivate", path_of(&made));
    api.ask(number, Method::POST, &path, "{}".to_owned()).await;
    let unwanted = api.publish(number + 1, event_type).await;
    (unwanted, made["id"].as_str().expect("an id").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_hears_of_all_after_its_creation_and_of_nothing_after_it_is_inactive() {
    let platform = Platform::new().await;
    let second_dispatcher = Service::dispatcher(&platform.world);
    let second_api = Service::api(&platform.world).await;
    let ready = async || {
        let asked = platform
            .client
            .get(format!("{}/readyz", second_api.url))
            .send()
            .await;
        (asked.ok()?.status() == 200).then_some(())
    };
    platform
        .world
        .eventually("the second API is ready", ready)
        .await;
    let api = Arc::new(Replicas {
        urls: [platform.api.url.clone(), second_api.url.clone()],
        client: platform.client.clone(),
        key: platform.key.clone(),
    });

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
    let unwanted = lines.join_all().await.concat();

    let taken_in = async || {
        let events: i64 = platform.world.database.events().await;
        (events == 2 * 500).then_some(())
    };
    platform
        .world
        .eventually("all are taken in", taken_in)
        .await;
    let pairs = unwanted
        .iter()
        .map(|(event, webhook)| format!("('{event}', '{webhook}')"));
    let pairs = pairs.collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT count(*) FROM deliveries WHERE (event_id, webhook_id) IN ({pairs})");
    let owed: i64 = platform.world.database.ask(&sql).await;
    assert_eq!((unwanted.len(), owed), (ROUNDS, 0));
    second_dispatcher.kill().await;
    second_api.kill().await;
    platform.end().await;
}
