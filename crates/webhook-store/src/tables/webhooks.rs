//! Tables `webhooks` and `subscriptions`: who wants which events, and how.
//!
//! A webhook that was deleted keeps its row for its history. Nothing here finds it any more.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Environment, Failing, WebhookId, WebhookSettings};

use crate::activity::{ActivityRow, LastAttempt};
use crate::health::FailingRow;
use crate::schema::{webhook_activity, webhook_health, webhooks};
use crate::{StoreError, retry_policies};
use columns::Row;

// How a webhook is read and written.
mod columns;
mod list;
mod write;

// What the platform does by itself.
mod closing;

pub(crate) use columns::open_headers;
pub(crate) use list::{escaped, ids_named_like};

pub use closing::{Closed, disable, list_closed, list_versions};
pub use list::{
    Position, Sort, SortKey, WebhookFilter, count, list, list_named, list_names,
    list_repeated_names,
};
pub use write::{delete, find_headers, insert, save};

/// A webhook as it is stored, without its secret.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Counts its changes, from 1.
    pub version: i64,
    /// What its admin decided. The values of its headers are as stored.
    pub settings: WebhookSettings,
    /// Why the platform set it Inactive, when it did.
    pub disabled_reason: Option<String>,
    /// What its attempts in a row say, if it is failing.
    pub failing: Option<Failing>,
    /// Until when its receiver asked for no requests, if it ever did; that may be over.
    pub held_until: Option<DateTime<Utc>>,
    /// Its latest attempt.
    pub last_attempt: Option<LastAttempt>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Finds a webhook.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let query = webhooks::table
        .find(id.0)
        .filter(webhooks::deleted_at.is_null())
        .left_join(webhook_health::table)
        .left_join(webhook_activity::table)
        .select((
            Row::as_select(),
            Option::<FailingRow>::as_select(),
            Option::<ActivityRow>::as_select(),
        ));
    let row: Option<(Row, _, _)> = query.first(connection).await.optional()?;
    let Some((row, failing, activity)) = row else {
        return Ok(None);
    };
    let policy = retry_policies::find_own(connection, id).await?;
    row.read(failing, activity, policy).map(Some)
}

/// Finds a webhook and keeps everybody else from changing it until the transaction ends.
pub async fn lock(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let locked: Option<uuid::Uuid> = webhooks::table
        .find(id.0)
        .select(webhooks::id)
        .for_no_key_update()
        .first(connection)
        .await
        .optional()?;
    match locked {
        Some(_) => find(connection, id).await,
        None => Ok(None),
    }
}

/// Keeps every other import into an environment waiting until the transaction ends.
pub async fn lock_imports(
    connection: &mut AsyncPgConnection,
    environment: Environment,
) -> Result<(), StoreError> {
    let lock = format!("webhooks import {environment}");
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<diesel::sql_types::Text, _>(lock)
        .execute(connection)
        .await?;
    Ok(())
}
