mod browsers;
mod webhooks;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;
use webhook_broker::Publisher;
use webhook_domain::{Environment, Event, EventId, EventType, RetryPolicy};

use crate::answers::{each, path_of};
use crate::{Proxy, Received, Receiver, Service, World, event, text_of};

pub use webhooks::{CreatedWebhook, NOBODY, NewWebhook, UNKNOWN_ID};

/// Both programs in a world of their own, and an owner's API key.
pub struct Platform {
    /// The database and the vhost.
    pub world: World,
    /// The API.
    pub api: Service,
    /// The dispatcher.
    pub dispatcher: Service,
    /// The API key of every request.
    pub key: String,
    /// The HTTP client of every request.
    pub client: Client,
}

/// A client that keeps no connection as long as the API does, 5 s: the API may end a connection in the moment in
/// which a request takes the connection.
fn client() -> Client {
    let client = Client::builder().pool_idle_timeout(Duration::from_secs(1));
    client.build().expect("a client without a certificate")
}

impl Platform {
    /// Starts both programs.
    pub async fn new() -> Self {
        let world = World::new().await;
        let amqp_url = world.broker.url.clone();
        Self::with_broker(world, &amqp_url).await
    }

    /// Starts both programs, the dispatcher with environment variables of its own and with leases
    /// of 60 s as in production.
    pub async fn with_dispatcher(variables: &[(&str, &str)]) -> Self {
        let world = World::new().await;
        let amqp_url = world.broker.url.clone();
        Self::with(world, &amqp_url, variables).await
    }

    /// Starts both programs in `world`; the API connects to the broker at `amqp_url`, such as a
    /// proxy.
    pub async fn with_broker(world: World, amqp_url: &str) -> Self {
        Self::with(world, amqp_url, &[("LEASE_MS", "4000")]).await
    }

    /// Starts both programs; the API connects to the broker through the proxy.
    pub async fn behind_proxy() -> (Self, Proxy) {
        let world = World::new().await;
        let mut amqp_url: Url = world.broker.url.parse().expect("a broker's URL");
        let proxy = Proxy::to(amqp_url.port().unwrap_or(5672)).await;
        amqp_url.set_port(Some(proxy.port)).expect("a port");
        let platform = Self::with_broker(world, amqp_url.as_str()).await;
        (platform, proxy)
    }

    async fn with(world: World, amqp_url: &str, variables: &[(&str, &str)]) -> Self {
        world
            .database
            .set_retry_policy(&RetryPolicy {
                initial_interval: Duration::from_millis(100),
                timeout: Duration::from_secs(2),
                ..RetryPolicy::default()
            })
            .await;
        let api = Service::api_at(&world, amqp_url).await;
        let dispatcher = Service::dispatcher_with(&world, variables);
        let key = Service::new_key(&world, "owner").await;
        let platform = Self {
            world,
            api,
            dispatcher,
            key,
            client: client(),
        };
        let ready =
            async || (platform.ask(Method::GET, "/readyz", None).await.0 == 200).then_some(());
        platform.world.eventually("the API is ready", ready).await;
        platform
    }

    /// A request to the API with the key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.api.url);
        self.client.request(method, url).bearer_auth(&self.key)
    }

    /// Sends a request to the API and returns the status and the JSON of the response, or `null`.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> (StatusCode, Value) {
        let request = self.request(method, path);
        let request = match body {
            Some(json) => request
                .header("Content-Type", "application/json")
                .body(json),
            None => request,
        };
        let response = request.send().await.expect("the API answers");
        (response.status(), response.json().await.unwrap_or_default())
    }

    /// Reads a path of the API, which must answer 200.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.ask(Method::POST, path, Some(body.to_string())).await
    }

    /// Patches with JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.ask(Method::PATCH, path, Some(body.to_string())).await
    }

    /// Publishes a fresh event over HTTP and returns its id.
    pub async fn publish(&self, environment: Environment, event_type: EventType) -> EventId {
        let event = event(environment, event_type);
        self.publish_event(&event).await;
        event.id
    }

    /// Publishes a fresh `license.activated` event of production over HTTP.
    pub async fn publish_fresh(&self) -> EventId {
        self.publish(Environment::Production, EventType::LicenseActivated)
            .await
    }

    /// As [`World::until`].
    pub async fn until(&self, what: &str, holds: impl AsyncFnMut() -> bool) {
        self.world.until(what, holds).await;
    }

    /// Waits until `count` deliveries have succeeded, for at most 20 seconds.
    pub async fn delivered(&self, count: i64) {
        let database = &self.world.database;
        self.world
            .becomes("succeeded deliveries", count, || database.delivered())
            .await;
    }

    /// Starts another dispatcher with `variables`, and ends the running dispatcher.
    pub async fn restart_dispatcher(&mut self, variables: &[(&str, &str)]) {
        let next = Service::dispatcher_with(&self.world, variables);
        let last = std::mem::replace(&mut self.dispatcher, next);
        assert!(last.terminate().await, "the dispatcher drains");
    }

    /// Every delivery with its attempts, as the API shows them, newest first; at most 200.
    pub async fn read_deliveries(&self) -> Vec<Value> {
        let listed = self.get("/api/v1/deliveries?limit=200").await;
        let mut read = Vec::new();
        for id in each(&listed["data"], "id") {
            read.push(self.get(&format!("/api/v1/deliveries/{id}")).await);
        }
        read
    }

    /// Publishes `event` over HTTP.
    pub async fn publish_event(&self, event: &Event) {
        let body = Some(text_of(event));
        let (status, answer) = self.ask(Method::POST, "/api/v1/events", body).await;
        assert_eq!(status, 202, "{answer}");
    }

    /// Publishes a fresh event of production and waits until a dispatcher has taken the event in.
    pub async fn take_in(&self, event_type: EventType) -> EventId {
        let event = event(Environment::Production, event_type);
        self.take_in_event(&event).await;
        event.id
    }

    /// Publishes `event` and waits until a dispatcher has taken the event in.
    pub async fn take_in_event(&self, event: &Event) {
        self.publish_event(event).await;
        self.taken_in(event.id).await;
    }

    /// Waits until a dispatcher has taken an event in.
    pub async fn taken_in(&self, event: EventId) {
        let sql = format!("SELECT count(*) FROM events WHERE id = '{event}'");
        let there = async || (self.world.database.ask::<i64>(&sql).await == 1).then_some(());
        let what = format!("the event {event} is taken in");
        self.world.eventually(&what, there).await;
    }

    /// Publishes an event of production and waits for the next request that `receiver` gets.
    pub async fn next_request(&self, receiver: &Receiver) -> Received {
        let before = receiver.count();
        self.publish(Environment::Production, EventType::LicenseActivated)
            .await;
        let next = async || receiver.received().into_iter().nth(before);
        self.world.eventually("the request arrives", next).await
    }

    /// Creates a webhook and returns the response, secret included.
    pub async fn create_webhook(
        &self,
        url: &str,
        environment: &str,
        status: &str,
        types: &[&str],
    ) -> Value {
        let webhook = json!({"name": "Receiver", "url": url, "environment": environment,
            "status": status, "event_types": types});
        let (status, created) = self.post("/api/v1/webhooks", &webhook).await;
        assert_eq!(status, 201, "{created}");
        created
    }

    /// Creates an Active webhook of production that wants every event, and returns its API path.
    pub async fn webhook_at(&self, url: &str) -> String {
        path_of(
            &self
                .create_webhook(url, "production", "active", &["*"])
                .await,
        )
    }

    /// The number of deliveries in `status`, at most 200.
    pub async fn count(&self, status: &str) -> usize {
        let path = format!("/api/v1/deliveries?status={status}&limit=200");
        let (_, page) = self.ask(Method::GET, &path, None).await;
        page["data"].as_array().map_or(0, Vec::len)
    }

    /// Waits until exactly `count` deliveries are in `status`.
    pub async fn deliveries_become(&self, status: &str, count: usize) {
        let reached = async || (self.count(status).await == count).then_some(());
        let what = format!("{count} deliveries are {status}");
        self.world.eventually(&what, reached).await;
    }

    /// Reads all pages of a list, of which `path` is the first.
    pub async fn pages(&self, path: &str) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut pages = vec![self.get(path).await];
        while let Some(cursor) = pages.last().and_then(|page| page["next_cursor"].as_str()) {
            let next = format!("{path}{separator}cursor={cursor}");
            pages.push(self.get(&next).await);
        }
        pages
    }

    /// A connected publisher, as a platform service has. `cancel` ends its connection.
    pub async fn publisher(&self, cancel: &CancellationToken) -> Publisher {
        let url = self.world.broker.url.parse().expect("a broker's URL");
        let publisher = Publisher::start(url, "test", cancel.clone());
        let connected = async || publisher.is_connected().then_some(());
        self.world
            .eventually("the publisher connects", connected)
            .await;
        publisher
    }

    /// Starts `dispatcher` in the place of the running dispatcher, which is killed.
    pub async fn replace_dispatcher(&mut self, dispatcher: Service) {
        let replaced = std::mem::replace(&mut self.dispatcher, dispatcher);
        replaced.kill().await;
    }

    /// Kills both programs and removes the world.
    pub async fn end(self) {
        self.dispatcher.kill().await;
        self.api.kill().await;
        self.world.end().await;
    }
}
