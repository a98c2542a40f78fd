//! Webhooks that get no deliveries: those that the platform set Inactive, and how a worker learns
//! of them.

use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{AuditAction, StatusEventType, WebhookId, WebhookStatus};

use crate::audit::{self, Actor, AuditEntry};
use crate::error::name;
use crate::schema::{webhook_health, webhooks};
use crate::{StoreError, status_events};

/// Sets a webhook Inactive for a reason that its owner will see, and tells the platform's
/// services. `false`: it already was.
pub async fn disable(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    reason: &str,
) -> Result<bool, StoreError> {
    let transaction = async |connection: &mut AsyncPgConnection| {
        let active =
            webhooks::table.filter(webhooks::id.eq(id.0).and(webhooks::status.eq("active")));
        let changed: Option<(String, String)> = diesel::update(active)
            .set((
                webhooks::status.eq("inactive"),
                webhooks::disabled_reason.eq(reason),
                webhooks::version.eq(webhooks::version + 1),
                webhooks::updated_at.eq(diesel::dsl::now),
            ))
            .returning((webhooks::name, webhooks::environment))
            .get_result(connection)
            .await
            .optional()?;
        let Some((webhook, environment)) = changed else {
            return Ok(false);
        };
        let told = (StatusEventType::WebhookDisabled, name(&environment)?);
        status_events::insert(connection, &status_events::about(id, told, reason)).await?;
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

/// Webhooks that get no deliveries now.
#[derive(Debug, Default)]
pub struct Closed {
    /// They are Inactive.
    pub inactive: Vec<WebhookId>,
    /// They are Active, and their circuit is open.
    pub paused: Vec<WebhookId>,
}

/// Of these webhooks, those that get no deliveries now.
pub async fn list_closed(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<Closed, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, String)> = webhooks::table
        .left_join(webhook_health::table)
        .filter(webhooks::id.eq_any(ids))
        .filter(
            webhooks::status
                .ne("active")
                .or(webhook_health::paused_until.is_not_null()),
        )
        .select((webhooks::id, webhooks::status))
        .load(connection)
        .await?;
    let mut closed = Closed::default();
    for (id, status) in rows {
        match name(&status)? {
            WebhookStatus::Active => closed.paused.push(WebhookId(id)),
            WebhookStatus::Inactive => closed.inactive.push(WebhookId(id)),
        }
    }
    Ok(closed)
}

/// The versions of webhooks as they are now.
pub async fn list_versions(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<Vec<(WebhookId, i64)>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, i64)> = webhooks::table
        .filter(webhooks::id.eq_any(ids))
        .select((webhooks::id, webhooks::version))
        .load(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, version)| (WebhookId(id), version))
        .collect())
}
