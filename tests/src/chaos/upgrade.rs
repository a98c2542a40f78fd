//! A rolling upgrade from the release before (`deploy/dev/previous-release`): both releases work side by side on the new schema, under load.

use std::path::Path;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use webhook_store::migrations;

use super::storm::{Account, Scale, Storm};
use crate::{Receiver, Servers, Service, World, program_path};

/// The variables of a dispatcher in a storm.
const SHORT_LEASES: [(&str, &str); 1] = [("LEASE_MS", "4000")];

/// Upgrades three dispatchers and an API, one process after the other, beginning with the schema. `previous` is the
/// folder with the programs of the release before.
pub async fn rolling_upgrade(servers: &Servers, previous: &Path, scale: Scale) -> Account {
    let (old_api, old_dispatcher) = (
        previous.join("webhook-api"),
        previous.join("webhook-dispatcher"),
    );
    let world = World::on(servers.urls()).await;
    // The old API makes the schema that it knows.
    migrations::revert_all(&world.database.url)
        .await
        .expect("an empty database");
    let old = Admin::of(&old_api, &world).await;
    let receiver = Receiver::answering(&[]).await;
    old.create(&receiver.url, "*").await;
    let start = |_| Service::dispatcher_of(&old_dispatcher, &world, &SHORT_LEASES);
    let dispatchers = (0..3).map(start).collect();
    let mut storm = Storm::over(world, servers, scale, (receiver, dispatchers)).await;

    let migrated = Service::run_to_end("webhook-api", &storm.world, &[], &["migrate"]).await;
    assert!(migrated.status.success(), "{migrated:?}");
    storm.recover().await;
    old.exercise().await;
    let new = Admin::of(&program_path("webhook-api"), &storm.world).await;
    for _ in 0..3 {
        new.exercise().await;
        old.exercise().await;
        storm.arrivals(200).await;
        storm.note_in_flight().await;
        storm.start_dispatcher();
        assert!(
            storm.dispatchers.remove(0).terminate().await,
            "a drain ends with 0"
        );
        storm.note_in_flight().await;
        storm.recover().await;
    }
    new.exercise().await;
    old.api.terminate().await;
    storm.end().await
}

/// An admin with a key, at an API.
struct Admin {
    api: Service,
    key: String,
    client: Client,
}

impl Admin {
    /// An owner at an API of a build.
    async fn of(program: &Path, world: &World) -> Self {
        let api = Service::api_of(program, world, &[]).await;
        // The API may still be migrating.
        let key = async || {
            let key = Service::new_key_of(program, world, "owner").await;
            (!key.is_empty()).then_some(key)
        };
        Self {
            api,
            key: world.eventually("a key is made", key).await,
            client: Client::new(),
        }
    }

    /// Creates a webhook, reads, changes, lists and deletes it: every verb that reads or writes what a migration
    /// changes.
    async fn exercise(&self) {
        let id = self
            .create("https://receiver.example.com/", "license.created")
            .await;
        let path = format!("/api/v1/webhooks/{id}");
        for (method, path, body) in [
            (Method::GET, path.as_str(), None),
            (
                Method::PATCH,
                path.as_str(),
                Some(json!({"description": "upgraded"})),
            ),
            (Method::GET, "/api/v1/webhooks", None),
            (Method::GET, "/api/v1/deliveries?limit=5", None),
            (Method::GET, "/api/v1/events?limit=5", None),
            (
                Method::GET,
                "/api/v1/overview?environment=production&span=30d",
                None,
            ),
            (Method::DELETE, path.as_str(), None),
        ] {
            let (status, response) = self.ask(method.clone(), path, body).await;
            assert!(status.is_success(), "{method} {path}: {status} {response}");
        }
    }

    async fn create(&self, url: &str, pattern: &str) -> String {
        let policy = json!({"max_attempts": 50, "initial_interval_ms": 1_000, "multiplier": 1,
            "max_interval_ms": 2_000, "jitter": 0, "timeout_ms": 2_000});
        let webhook = json!({"name": "CRM", "url": url, "environment": "production",
            "event_types": [pattern], "retry_policy": policy});
        let (status, created) = self
            .ask(Method::POST, "/api/v1/webhooks", Some(webhook))
            .await;
        assert_eq!(status, 201, "{created}");
        created["id"].as_str().expect("an id").to_owned()
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = self
            .client
            .request(method, format!("{}{path}", self.api.url));
        let mut request = request.bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("the API answers");
        (response.status(), response.json().await.unwrap_or_default())
    }
}
