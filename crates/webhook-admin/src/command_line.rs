//! Keys from the command line: API keys made, secrets sealed anew. At the start of the API: URLs sealed.

use anyhow::Context;
use uuid::Uuid;
use webhook_domain::{ApiKey, ApiKeyId, AuditAction, KeyName, Role, WebhookId};
use webhook_store::api_keys::{self, NewApiKey};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{
    Pool, PoolPurpose, SealingKeys, StoreError, idempotency, secrets, transaction, webhooks,
};

use crate::caller::Caller;

/// Webhooks whose secrets are sealed anew in one transaction.
const WEBHOOKS_PER_TRANSACTION: i64 = 100;

/// Creates an API key and stores the key's hash. Only the caller ever sees the key.
pub async fn create_key(database_url: &str, role: Role, name: &KeyName) -> anyhow::Result<ApiKey> {
    webhook_store::check_sessions(database_url).await?;
    let pool = webhook_store::connect(database_url, 1, PoolPurpose::Commands).await?;
    let mut connection = webhook_store::acquire(&pool).await?;
    let key = ApiKey::from_random(rand::random());
    let new = NewApiKey {
        id: ApiKeyId(Uuid::now_v7()),
        name,
        role,
        key: &key,
        expires_at: None,
    };
    let made = transaction(&mut connection, async |connection| {
        api_keys::insert(connection, &new).await?;
        let entry = AuditEntry {
            after: Some(serde_json::json!({"id": new.id, "role": role.as_str()})),
            ..AuditEntry::new(AuditAction::ApiKeyCreated, name.as_str())
        };
        let actor = Caller::command_line().actor();
        audit::insert(connection, &actor, &entry).await?;
        Ok::<_, StoreError>(())
    });
    made.await
        .context("cannot store the key; is the database migrated?")?;
    Ok(key)
}

/// Seals the URLs of chat webhooks that the version before stored as a whole. Returns their number.
///
/// Replicas may do it at the same time, and a start that is broken off is repeated: every hundred webhooks are one
/// transaction.
pub async fn seal_urls(pool: &Pool, keys: &SealingKeys) -> anyhow::Result<usize> {
    let mut connection = webhook_store::acquire(pool).await?;
    let mut sealed = 0;
    loop {
        let step = webhooks::seal_whole_urls(&mut connection, keys, WEBHOOKS_PER_TRANSACTION).await;
        let step = step.context("cannot seal the URLs of chat webhooks")?;
        if step.is_empty() {
            return Ok(sealed);
        }
        sealed += step.len();
    }
}

/// The progress of [`reseal`], in webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resealing {
    /// Webhooks with a secret of another key, counted at the beginning.
    pub all: u64,
    /// Webhooks that the resealing has visited, with resealed or with unreadable secrets.
    pub done: u64,
}

/// Seals every secret anew with the first sealing key, unless the secret is sealed with that key
/// already. Returns the number of webhooks with new seals, and the webhooks whose secrets no key opens.
/// Calls `show` after every step.
///
/// Every hundred webhooks are one transaction: a run may be broken off and repeated.
pub async fn reseal(
    database_url: &str,
    keys: &SealingKeys,
    show: impl Fn(Resealing),
) -> anyhow::Result<(usize, Vec<WebhookId>)> {
    webhook_store::check_sessions(database_url).await?;
    let pool = webhook_store::connect(database_url, 1, PoolPurpose::Commands).await?;
    let mut connection = webhook_store::acquire(&pool).await?;
    let all = secrets::count_sealed_otherwise(&mut connection, keys).await;
    let all = all.context("cannot count the secrets")?;
    let (mut sealed, mut unreadable, mut after) = (0, Vec::new(), None);
    loop {
        let step = secrets::reseal(&mut connection, keys, after, WEBHOOKS_PER_TRANSACTION).await;
        let step = step.context("cannot reseal the secrets")?;
        sealed += step.sealed;
        unreadable.extend(step.unreadable);
        let done = u64::try_from(sealed + unreadable.len()).unwrap_or(u64::MAX);
        show(Resealing { all, done });
        after = step.last;
        if after.is_none() {
            break;
        }
    }
    // Last, and only with the right keys: a wrong key opens no secret, and must cost no remembered creation.
    if unreadable.is_empty() {
        let forgotten = idempotency::forget_sealed_otherwise(&mut connection, keys).await;
        forgotten.context("cannot remove remembered creations")?;
    }
    Ok((sealed, unreadable))
}
