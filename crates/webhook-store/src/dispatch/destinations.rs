//! What the dispatcher needs of a webhook to call it: columns of `webhooks`, and its policy.

use std::time::Duration;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{CustomHeaders, RetryPolicy, WebhookId};

use crate::error::name;
use crate::retry_policies::Policies;
use crate::schema::webhooks;
use crate::secrets::{self, Secrets};
use crate::webhooks::open_headers;
use crate::{SealingKeys, StoreError};

/// Where a webhook's requests go, and how.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Whose it is.
    pub webhook_id: WebhookId,
    /// Of which version of the webhook.
    pub version: i64,
    /// Where requests go.
    pub url: String,
    /// What they are signed with.
    pub secrets: Secrets,
    /// What they carry besides our own headers.
    pub headers: CustomHeaders,
    /// How failed deliveries are tried again: its own policy or its environment's, with its own
    /// timeout if it has one.
    pub policy: RetryPolicy,
}

/// Reads the destinations of webhooks, each for itself: one may be unreadable. Those that are not
/// there are left out.
pub async fn list_destinations(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    ids: &[WebhookId],
) -> Result<Vec<Result<Destination, StoreError>>, StoreError> {
    use webhooks::dsl;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = dsl::webhooks
        .filter(dsl::id.eq_any(&ids))
        .filter(dsl::deleted_at.is_null())
        .select((
            dsl::id,
            dsl::version,
            dsl::url,
            dsl::environment,
            (dsl::sealed_secret, dsl::sealed_headers, dsl::timeout_ms),
        ))
        .load(connection)
        .await?;
    // Read after the versions: what is newer than its version is read once more, what is older
    // could stay for ever.
    let policies = Policies::read(connection, &ids).await?;
    let previous = secrets::list_previous(connection, &ids).await?;
    let read = rows.into_iter().map(
        |(id, version, url, environment, (secret, headers, timeout_ms))| {
            let mut policy = policies.of(id, name(&environment)?);
            if let Some(millis) = timeout_ms {
                policy.timeout = Duration::from_millis(u64::from(millis.unsigned_abs()));
            }
            let previous = previous.get(&id).map_or(&[][..], Vec::as_slice);
            Ok(Destination {
                webhook_id: WebhookId(id),
                version,
                url,
                secrets: secrets::open(keys, id, &secret, previous)?,
                headers: open_headers(keys, WebhookId(id), headers.as_deref())?,
                policy,
            })
        },
    );
    Ok(read.collect())
}

type Row = (
    Uuid,
    i64,
    String,
    String,
    (Vec<u8>, Option<Vec<u8>>, Option<i32>),
);
