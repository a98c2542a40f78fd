//! Webhooks created, changed and deleted over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Platform, Receiver};

/// A URL without a server.
pub const NOBODY: &str = "http://127.0.0.1:9/";

/// An id of no event, webhook, delivery or job.
pub const UNKNOWN_ID: &str = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e";

/// A webhook before the creation over HTTP. Without more, the webhook is Active in production,
/// wants every event and has the URL [`NOBODY`].
#[must_use]
pub struct NewWebhook<'a> {
    platform: &'a Platform,
    body: Value,
}

/// A webhook after the creation over HTTP.
#[derive(Debug, Clone)]
pub struct CreatedWebhook {
    /// The webhook's id.
    pub id: String,
    /// `/api/v1/webhooks/…`.
    pub path: String,
    /// `/admin/webhooks/…`, the webhook's page in the portal.
    pub page: String,
    /// `whsec_…`.
    pub secret: String,
}

impl NewWebhook<'_> {
    /// The target URL.
    pub fn at(self, url: &str) -> Self {
        self.with(&json!({"url": url}))
    }

    /// The environment whose events the webhook gets.
    pub fn environment(self, environment: &str) -> Self {
        self.with(&json!({"environment": environment}))
    }

    /// The selection: event types and patterns.
    pub fn types(self, patterns: &[&str]) -> Self {
        self.with(&json!({"event_types": patterns}))
    }

    /// Inactive from the start.
    pub fn inactive(self) -> Self {
        self.with(&json!({"status": "inactive"}))
    }

    /// A retry policy of a single attempt.
    pub fn once(self) -> Self {
        self.retrying_every(1_000, 1)
    }

    /// A retry policy whose first retry comes after an hour, when every test has ended.
    pub fn patient(self) -> Self {
        self.retrying_every(3_600_000, 12)
    }

    /// A retry policy with equal pauses of `millis` between attempts, without jitter.
    pub fn retrying_every(self, millis: u64, max_attempts: u64) -> Self {
        self.with(&json!({"retry_policy": {"max_attempts": max_attempts,
            "initial_interval_ms": millis, "multiplier": 1, "max_interval_ms": 86_400_000,
            "jitter": 0, "timeout_ms": 2_000}}))
    }

    /// Fields of the request, such as `{"rate_limit": 5}`.
    pub fn with(mut self, fields: &Value) -> Self {
        for (field, value) in fields.as_object().into_iter().flatten() {
            self.body[field] = value.clone();
        }
        self
    }

    /// Asks for the webhook to be created; the request may be refused.
    pub async fn ask(self) -> (StatusCode, Value) {
        self.platform.post("/api/v1/webhooks", &self.body).await
    }

    /// Creates the webhook.
    pub async fn create(self) -> CreatedWebhook {
        let (status, created) = self.ask().await;
        assert_eq!(status, 201, "{created}");
        CreatedWebhook::from_json(&created)
    }
}

impl CreatedWebhook {
    /// The webhook of the response to a creation.
    pub fn from_json(created: &Value) -> Self {
        let id = created["id"].as_str().expect("a webhook has an id");
        let secret = created["secret"].as_str().expect("a new webhook's secret");
        Self {
            path: format!("/api/v1/webhooks/{id}"),
            page: format!("/admin/webhooks/{id}"),
            id: id.to_owned(),
            secret: secret.to_owned(),
        }
    }
}

impl Platform {
    /// A webhook to be created: `platform.webhook("CRM").at(&receiver.url).create().await`.
    pub fn webhook(&self, name: &str) -> NewWebhook<'_> {
        NewWebhook {
            platform: self,
            body: json!({"name": name, "url": NOBODY, "environment": "production",
                "event_types": ["*"]}),
        }
    }

    /// A webhook to be created whose requests go to `receiver`.
    pub fn webhook_to(&self, receiver: &Receiver) -> NewWebhook<'_> {
        self.webhook("Receiver").at(&receiver.url)
    }

    /// Changes a webhook and returns the webhook's JSON.
    pub async fn change(&self, webhook: &CreatedWebhook, change: &Value) -> Value {
        let (status, changed) = self.patch(&webhook.path, change).await;
        assert_eq!(status, 200, "{changed}");
        changed
    }

    /// Sets a webhook `active` or `inactive`.
    pub async fn set_status(&self, webhook: &CreatedWebhook, status: &str) {
        self.change(webhook, &json!({"status": status})).await;
    }

    /// Deletes a webhook.
    pub async fn delete(&self, webhook: &CreatedWebhook) {
        let (status, answer) = self.ask(Method::DELETE, &webhook.path, None).await;
        assert_eq!(status, 204, "{answer}");
    }

    /// Writes `count` failed deliveries of a webhook and their events, a minute old.
    pub async fn fail_deliveries(&self, webhook: &CreatedWebhook, count: usize) {
        let database = &self.world.database;
        database.fail_deliveries(&webhook.id, count).await;
    }

    /// Opens a webhook's circuit: the webhook's deliveries wait.
    pub async fn open_circuit(&self, webhook: &CreatedWebhook) {
        self.world.database.open_circuit(&webhook.id).await;
    }
}
