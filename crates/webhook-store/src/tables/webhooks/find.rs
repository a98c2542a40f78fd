//! One webhook found, or locked.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Environment, WebhookId};

use super::row::{Row, Webhook};
use crate::StoreError;
use crate::column_types::bind;
use crate::schema::{webhook_activity, webhook_days, webhook_health, webhooks};
use crate::tables::activity::LastAttempt;
use crate::tables::circuits::FailingRow;
use crate::tables::days::Day;
use crate::tables::retry_policies;
use crate::tables::templates::Templates;

/// Finds a webhook.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let query = webhooks::table
        .find(bind(id))
        .filter(webhooks::deleted_at.is_null())
        .left_join(webhook_health::table)
        .left_join(webhook_activity::table)
        .left_join(webhook_days::table)
        .select((
            Row::as_select(),
            Option::<FailingRow>::as_select(),
            Option::<LastAttempt>::as_select(),
            Option::<Day>::as_select(),
        ));
    let row: Option<(Row, _, _, _)> = query.first(connection).await.optional()?;
    let Some((row, failing, activity, day)) = row else {
        return Ok(None);
    };
    let policy = retry_policies::find_own(connection, id).await?;
    let in_use = std::iter::once((id, row.template_version));
    let body = Templates::read(connection, in_use)
        .await?
        .join(id, row.format)?;
    row.read((failing, activity, day), policy, body).map(Some)
}

/// Finds a webhook, and locks the row against changes until the transaction ends.
pub async fn lock(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let locked: Option<WebhookId> = webhooks::table
        .find(bind(id))
        .select(webhooks::id)
        // Weaker than FOR UPDATE: foreign keys may refer to the row meanwhile.
        .for_no_key_update()
        .first(connection)
        .await
        .optional()?;
    match locked {
        // Two statements: the second sees the row as committed by the change that the lock waited for.
        Some(_) => find(connection, id).await,
        None => Ok(None),
    }
}

/// Makes every other import into an environment wait until the transaction ends.
pub async fn lock_imports(
    connection: &mut AsyncPgConnection,
    environment: Environment,
) -> Result<(), StoreError> {
    // Two imports at once would both create the webhooks of one document.
    let lock = format!("webhooks import {environment}");
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<diesel::sql_types::Text, _>(lock)
        .execute(connection)
        .await?;
    Ok(())
}
