//! The data that the dispatcher needs to call a webhook: columns of `webhooks`, its secrets, and the
//! policy that it is retried by.

use std::time::Duration;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{CustomHeaders, Environment, RetryPolicy, WebhookId};

use crate::column_types::bind_all;
use crate::schema::webhooks;
use crate::tables::retry_policies::Policies;
use crate::tables::secrets::{self, Secrets};
use crate::tables::webhooks::open_headers;
use crate::{SealingKeys, StoreError};

/// Where the requests of a webhook go, and how they are signed and retried.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The version of the webhook that these values belong to.
    pub version: i64,
    /// The target URL.
    pub url: String,
    /// The secrets that sign the requests.
    pub secrets: Secrets,
    /// The custom headers, which requests carry besides our own.
    pub headers: CustomHeaders,
    /// The retry policy: the webhook's own or its environment's, with the webhook's own timeout if it
    /// has one.
    pub policy: RetryPolicy,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks, check_for_backend(Pg))]
struct Row {
    id: WebhookId,
    version: i64,
    url: String,
    environment: Environment,
    sealed_secret: Vec<u8>,
    sealed_headers: Option<Vec<u8>>,
    timeout_ms: Option<i32>,
}

/// Reads the destinations of webhooks, each with a result of its own: the secrets of one may be
/// unreadable. Deleted webhooks are left out.
pub async fn list_destinations(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    ids: &[WebhookId],
) -> Result<Vec<Result<Destination, StoreError>>, StoreError> {
    let rows: Vec<Row> = webhooks::table
        .filter(webhooks::id.eq_any(bind_all(ids)))
        .filter(webhooks::deleted_at.is_null())
        .select(Row::as_select())
        .load(connection)
        .await?;
    // Read after the versions. A policy or secret that is newer than its version is read again once
    // the newer version is seen; one that is older would stay in the caller's cache.
    let policies = Policies::read(connection, ids).await?;
    let previous = secrets::list_previous(connection, ids).await?;
    let destinations = rows.into_iter().map(|row| {
        let mut policy = policies.of(row.id, row.environment);
        if let Some(millis) = row.timeout_ms {
            policy.timeout = Duration::from_millis(u64::from(millis.unsigned_abs()));
        }
        let previous = previous.get(&row.id).map_or(&[][..], Vec::as_slice);
        Ok(Destination {
            webhook_id: row.id,
            version: row.version,
            url: row.url,
            secrets: secrets::open(keys, row.id, &row.sealed_secret, previous)?,
            headers: open_headers(keys, row.id, row.sealed_headers.as_deref())?,
            policy,
        })
    });
    Ok(destinations.collect())
}
