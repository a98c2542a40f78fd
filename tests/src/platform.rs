use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_domain::{Environment, EventId, EventType, RetryPolicy};

use crate::{Service, World, event};

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

impl Platform {
    /// Starts both programs.
    pub async fn new() -> Self {
        let world = World::new().await;
        let amqp_url = world.broker.url.clone();
        Self::with_broker(world, &amqp_url).await
    }

    /// Starts both programs, the dispatcher with environment variables of its own and with leases of
    /// 60 s as in production.
    pub async fn with_dispatcher(variables: &[(&str, &str)]) -> Self {
        let world = World::new().await;
        let amqp_url = world.broker.url.clone();
        Self::with(world, &amqp_url, variables).await
    }

    /// Starts both programs in `world`; the API connects to the broker at `amqp_url`, such as a proxy.
    pub async fn with_broker(world: World, amqp_url: &str) -> Self {
        Self::with(world, amqp_url, &[("LEASE_MS", "4000")]).await
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
            client: Client::new(),
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
        let body = String::from_utf8(event.body.to_vec()).expect("text");
        let (status, answer) = self.ask(Method::POST, "/api/v1/events", Some(body)).await;
        assert_eq!(status, 202, "{answer}");
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

    /// Waits until a dispatcher has taken an event in.
    pub async fn taken_in(&self, event: EventId) {
        let sql = format!("SELECT count(*) FROM events WHERE id = '{event}'");
        let there = async || (self.world.database.ask::<i64>(&sql).await == 1).then_some(());
        self.world.eventually("it is taken in", there).await;
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

    /// Kills both programs and removes the world.
    pub async fn end(self) {
        self.dispatcher.kill().await;
        self.api.kill().await;
        self.world.end().await;
    }
}

/// The API path of a webhook, from its JSON.
pub fn path_of(webhook: &Value) -> String {
    let id = webhook["id"].as_str().expect("an id");
    format!("/api/v1/webhooks/{id}")
}

/// One text field of each item of a JSON list.
pub fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list").iter();
    items.filter_map(|item| item[field].as_str()).collect()
}
