//! Webhooks made, changed and deleted. The caller owns the transaction.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{
    CustomHeaders, SigningSecret, StatusEventType, TemplateVersion, WebhookId, WebhookSettings,
    WebhookStatus,
};

use super::columns::{HeaderColumns, SettingsColumns, open_headers};
use super::row::Webhook;
use super::sealed_url::UrlColumns;
use crate::column_types::bind;
use crate::error::unreadable;
use crate::schema::{previous_secrets, rate_buckets, subscriptions, webhooks};
use crate::tables::{
    audit, circuits, deliveries, idempotency, retry_policies, status_events, templates,
};
use crate::{SealingKeys, StoreError};

/// The most pending deliveries that a deletion cancels at once, so that the request stays short. A sweep
/// of the dispatchers cancels the others.
const MAX_CANCELLED_AT_ONCE: i64 = 1_000;

/// Stores a new webhook with its subscriptions, rate bucket and retry policy. All headers have values, and the URL
/// is known.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
    settings: &WebhookSettings,
    secret: &SigningSecret,
) -> Result<(), StoreError> {
    let url = UrlColumns::of(keys, id, &settings.url);
    let url = url.ok_or_else(|| unreadable("a new webhook without its whole URL"))?;
    diesel::insert_into(webhooks::table)
        .values((
            webhooks::id.eq(bind(id)),
            webhooks::sealed_secret.eq(keys.seal(id.0, secret.reveal())),
            SettingsColumns::of(settings),
            HeaderColumns::seal(keys, id, &settings.headers),
            url,
        ))
        .execute(connection)
        .await?;
    // A bucket for each webhook, with a rate limit or not: a claim only locks buckets, and creates none.
    diesel::insert_into(rate_buckets::table)
        .values(rate_buckets::webhook_id.eq(bind(id)))
        .execute(connection)
        .await?;
    subscribe(connection, id, settings).await?;
    if let Some(template) = settings.body.template() {
        let version = templates::insert(connection, id, template).await?;
        diesel::update(webhooks::table.find(bind(id)))
            .set(webhooks::template_version.eq(Some(version.0)))
            .execute(connection)
            .await?;
    }
    if let Some(policy) = &settings.delivery_options.retry_policy {
        retry_policies::set_own(connection, id, policy).await?;
    }
    Ok(())
}

/// Writes the changed settings of a [locked](super::find::lock) webhook. `false`: no setting differs.
pub async fn save(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    before: &Webhook,
    after: &WebhookSettings,
) -> Result<bool, StoreError> {
    let was = &before.settings;
    if was == after {
        return Ok(false);
    }
    let template_version = save_template(connection, before, after).await?;
    save_columns(connection, keys, before, after, template_version).await?;
    if after.url.is_secret() && !was.url.is_secret() {
        // The log was readable for everybody, and so was the URL until now.
        audit::mask_urls(connection, before.id).await?;
    }
    if was.headers != after.headers {
        save_headers(connection, keys, before.id, after.headers.clone()).await?;
    }
    // The foreign key changes the environment of the subscriptions along with the webhook's.
    if was.events != after.events {
        unsubscribe(connection, before.id).await?;
        subscribe(connection, before.id, after).await?;
    }
    match &after.delivery_options.retry_policy {
        Some(policy) => retry_policies::set_own(connection, before.id, policy).await?,
        None => retry_policies::unset_own(connection, before.id).await?,
    }
    let activated = was.status != after.status && after.status == WebhookStatus::Active;
    reset_health(connection, before, after, activated).await?;
    if activated {
        let event = status_events::about(
            StatusEventType::WebhookEnabled,
            before.id,
            after.environment,
            "set Active by an admin",
        );
        status_events::insert(connection, &event).await?;
    }
    Ok(true)
}

async fn reset_health(
    connection: &mut AsyncPgConnection,
    before: &Webhook,
    after: &WebhookSettings,
    activated: bool,
) -> Result<(), StoreError> {
    let was = &before.settings;
    // Made Active, or with another URL, format or template, the webhook starts with a closed circuit and an unknown health.
    // Changed headers or delivery options end a hold: the receiver may have asked for that change.
    if activated || after.url.leads_elsewhere(&was.url) || was.body != after.body {
        circuits::forget(connection, &[before.id]).await?;
        diesel::update(webhooks::table.find(bind(before.id)))
            .set(webhooks::health_since.eq(now))
            .execute(connection)
            .await?;
    } else if was.headers != after.headers || was.delivery_options != after.delivery_options {
        circuits::end_hold(connection, before.id).await?;
    }
    Ok(())
}

/// Saves a changed template as a version of its own. Returns the version in use; `None`: no template.
async fn save_template(
    connection: &mut AsyncPgConnection,
    before: &Webhook,
    after: &WebhookSettings,
) -> Result<Option<TemplateVersion>, StoreError> {
    match after.body.template() {
        None => Ok(None),
        same if same == before.settings.body.template() => Ok(before.template_version),
        Some(template) => templates::insert(connection, before.id, template)
            .await
            .map(Some),
    }
}

async fn save_columns(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    before: &Webhook,
    after: &WebhookSettings,
    template_version: Option<TemplateVersion>,
) -> Result<(), StoreError> {
    let same_status = before.settings.status == after.status;
    let reason = before.disabled_reason.as_deref().filter(|_| same_status);
    diesel::update(webhooks::table.find(bind(before.id)))
        .set((
            SettingsColumns::of(after),
            webhooks::template_version.eq(template_version.map(|version| version.0)),
            UrlColumns::of(keys, before.id, &after.url),
            webhooks::disabled_reason.eq(reason),
            webhooks::version.eq(webhooks::version + 1),
            webhooks::updated_at.eq(now),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Reads the custom headers of a webhook, values included.
pub async fn find_headers(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
) -> Result<CustomHeaders, StoreError> {
    let row = webhooks::table
        .find(bind(id))
        .select(webhooks::sealed_headers);
    let sealed: Option<Vec<u8>> = row.first(connection).await?;
    open_headers(keys, id, sealed.as_deref())
}

async fn save_headers(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
    mut headers: CustomHeaders,
) -> Result<(), StoreError> {
    let stored = find_headers(connection, keys, id).await?;
    headers
        .resolve(&stored)
        .map_err(|(name, error)| unreadable(format!("header {}: {error}", name.as_str())))?;
    diesel::update(webhooks::table.find(bind(id)))
        .set(HeaderColumns::seal(keys, id, &headers))
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes a [locked](super::find::lock) webhook and, for good, its secrets. The history stays. Up to
/// [`MAX_CANCELLED_AT_ONCE`] pending deliveries are cancelled at once. Returns their number.
pub async fn delete(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<usize, StoreError> {
    diesel::update(webhooks::table.find(bind(id)))
        .set((
            webhooks::deleted_at.eq(now),
            webhooks::status.eq(bind(WebhookStatus::Inactive)),
            // The row stays for the history, without a secret.
            webhooks::sealed_secret.eq(Vec::<u8>::new()),
            webhooks::sealed_headers.eq(None::<Vec<u8>>),
            webhooks::template_version.eq(None::<i32>),
            webhooks::sealed_url.eq(None::<Vec<u8>>),
            webhooks::url_fingerprint.eq(None::<Vec<u8>>),
            webhooks::version.eq(webhooks::version + 1),
            webhooks::updated_at.eq(now),
        ))
        .execute(connection)
        .await?;
    let previous = previous_secrets::table.filter(previous_secrets::webhook_id.eq(bind(id)));
    diesel::delete(previous).execute(connection).await?;
    unsubscribe(connection, id).await?;
    // The remembered response to the creation holds the secret.
    idempotency::forget_made(connection, id.0).await?;
    templates::delete_all(connection, id).await?;
    circuits::forget(connection, &[id]).await?;
    deliveries::cancel_pending(connection, id, MAX_CANCELLED_AT_ONCE).await
}

async fn subscribe(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    settings: &WebhookSettings,
) -> Result<(), StoreError> {
    use subscriptions::dsl;
    let types = settings.events.types().map(|event_type| {
        (
            dsl::webhook_id.eq(bind(id)),
            dsl::environment.eq(bind(settings.environment)),
            dsl::event_type.eq(bind(event_type)),
        )
    });
    diesel::insert_into(dsl::subscriptions)
        .values(types.collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

async fn unsubscribe(connection: &mut AsyncPgConnection, id: WebhookId) -> Result<(), StoreError> {
    let of_webhook = subscriptions::table.filter(subscriptions::webhook_id.eq(bind(id)));
    diesel::delete(of_webhook).execute(connection).await?;
    Ok(())
}
