//! What the dispatcher needs of a webhook to call it: columns of `webhooks`, and its policy.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{RetryPolicy, SigningSecret, WebhookId};

use crate::error::name;
use crate::retry_policies::Policies;
use crate::schema::webhooks;
use crate::{SealingKey, StoreError};

/// Where a webhook's requests go, and how.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Whose it is.
    pub webhook_id: WebhookId,
    /// Of which version of the webhook.
    pub version: i64,
    /// Where requests go.
    pub url: String,
    /// What they are signed with: every secret that is valid now, the newest first.
    pub secrets: Vec<SigningSecret>,
    /// How failed deliveries are tried again: its own policy, or its environment's.
    pub policy: RetryPolicy,
}

/// Reads the destinations of webhooks, each for itself: one may be unreadable. Those that are not
/// there are left out.
pub async fn list_destinations(
    connection: &mut AsyncPgConnection,
    key: &SealingKey,
    ids: &[WebhookId],
) -> Result<Vec<Result<Destination, StoreError>>, StoreError> {
    use webhooks::dsl;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, i64, String, String, Vec<u8>)> = dsl::webhooks
        .filter(dsl::id.eq_any(&ids))
        .select((
            dsl::id,
            dsl::version,
            dsl::url,
            dsl::environment,
            dsl::sealed_secret,
        ))
        .load(connection)
        .await?;
    // Read after the versions: a policy that is newer than its version is read once more, an
    // older one could stay for ever.
    let policies = Policies::read(connection, &ids).await?;
    let read = rows
        .into_iter()
        .map(|(id, version, url, environment, sealed)| {
            let secret = SigningSecret::parse(&key.open(id, &sealed)?)
                .map_err(|error| StoreError::Unreadable(error.to_string()))?;
            Ok(Destination {
                webhook_id: WebhookId(id),
                version,
                url,
                secrets: vec![secret],
                policy: policies.of(id, name(&environment)?),
            })
        });
    Ok(read.collect())
}
