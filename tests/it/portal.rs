//! The portal in a real browser, through the real programs.

use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{CreatedWebhook, Platform, Receiver};

// All pages.
mod accessibility;
mod api_docs;
mod crawl;
mod density;
mod first_edition;
mod guide;
mod keys;
mod leading_on;
mod navigation;
mod phones;
mod signing_in;
mod zones;

// Webhooks.
mod bulk;
mod clone;
mod confirmations;
mod form;
mod form_sections;
mod leaving;
mod preview;
mod secret;
mod secret_in_form;
mod switch;
mod templates;
mod transfer;
mod webhook;
mod webhooks;

// Events and deliveries.
mod deliveries;
mod delivery;
mod events;
mod jobs;
mod reference;
mod rejected;

// The whole platform.
mod api_keys;
mod checker;
mod settings;

/// Creates a webhook with a custom header and with a single attempt per delivery.
async fn create_with_token(platform: &Platform, name: &str, receiver: &Receiver) -> CreatedWebhook {
    let token = json!({"headers": {"X-Token": "very-secret"}});
    let webhook = platform.webhook(name).at(&receiver.url).once();
    webhook.with(&token).create().await
}

/// Publishes an event, and waits until exactly `count` deliveries are in `status`.
async fn deliver(platform: &Platform, status: &str, count: usize) {
    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    platform.deliveries_become(status, count).await;
}
