//! Disabling: the platform sets webhooks Inactive, and workers look for webhooks that get no deliveries.

use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use webhook_domain::{AuditAction, Environment, StatusEventType, WebhookId, WebhookStatus};

use crate::StoreError;
use crate::column_types::{bind, bind_all};
use crate::schema::{webhook_health, webhooks};
use crate::tables::audit::{self, Actor, AuditEntry};
use crate::tables::status_events;

/// Sets a webhook Inactive, with a reason for its owner to see, and notifies the platform's services.
/// `false`: the webhook was Inactive already.
pub async fn disable(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    reason: &str,
) -> Result<bool, StoreError> {
    let transaction = async |connection: &mut AsyncPgConnection| {
        let Some((webhook, environment)) = set_inactive(connection, id, reason).await? else {
            return Ok(false);
        };
        let kind = StatusEventType::WebhookDisabled;
        let event = status_events::about(kind, id, environment, reason);
        status_events::insert(connection, &event).await?;
        let entry = AuditEntry {
            webhook_id: Some(id),
            before: Some(serde_json::json!({"status": "active"})),
            after: Some(serde_json::json!({"status": "inactive", "disabled_reason": reason})),
            ..AuditEntry::new(AuditAction::WebhookDisabled, &webhook)
        };
        audit::insert(connection, &Actor::platform(), &entry).await?;
        Ok(true)
    };
    connection.transaction(transaction).await
}

/// Sets an Active webhook Inactive. Returns the name and environment. `None`: the webhook was Inactive.
async fn set_inactive(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    reason: &str,
) -> Result<Option<(String, Environment)>, StoreError> {
    // Only an Active webhook: of two workers at once, one disables and notifies.
    let active = webhooks::table
        .find(bind(id))
        .filter(webhooks::status.eq(bind(WebhookStatus::Active)));
    let changed = diesel::update(active)
        .set((
            webhooks::status.eq(bind(WebhookStatus::Inactive)),
            webhooks::disabled_reason.eq(reason),
            webhooks::version.eq(webhooks::version + 1),
            webhooks::updated_at.eq(diesel::dsl::now),
        ))
        .returning((webhooks::name, webhooks::environment))
        .get_result(connection)
        .await;
    Ok(changed.optional()?)
}

/// Webhooks that get no deliveries now.
#[derive(Debug, Default)]
pub struct Undeliverable {
    /// Inactive webhooks.
    pub inactive: Vec<WebhookId>,
    /// Active webhooks with an open circuit.
    pub circuit_open: Vec<WebhookId>,
}

/// Selects, from the given webhooks, the Inactive webhooks and the webhooks with an open circuit.
pub async fn list_undeliverable(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<Undeliverable, StoreError> {
    let rows: Vec<(WebhookId, WebhookStatus)> = webhooks::table
        .left_join(webhook_health::table)
        .filter(webhooks::id.eq_any(bind_all(ids)))
        .filter(
            webhooks::status
                .ne(bind(WebhookStatus::Active))
                .or(webhook_health::paused_until.is_not_null()),
        )
        .select((webhooks::id, webhooks::status))
        .load(connection)
        .await?;
    let mut undeliverable = Undeliverable::default();
    for (id, status) in rows {
        match status {
            WebhookStatus::Active => undeliverable.circuit_open.push(id),
            WebhookStatus::Inactive => undeliverable.inactive.push(id),
        }
    }
    Ok(undeliverable)
}

/// Reads the current versions of webhooks.
pub async fn list_versions(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<Vec<(WebhookId, i64)>, StoreError> {
    let versions = webhooks::table
        .filter(webhooks::id.eq_any(bind_all(ids)))
        .select((webhooks::id, webhooks::version));
    Ok(versions.load(connection).await?)
}
