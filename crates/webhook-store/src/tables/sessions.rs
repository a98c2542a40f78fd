//! Table `sessions`: browsers signed in with an API key. Only hashes are stored.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::ApiKeyId;

use crate::StoreError;
use crate::column_types::bind;
use crate::schema::sessions;
use crate::tables::api_keys::{self, ApiKeyRow, KeyBy};

/// The most expired sessions deleted with each new session: enough to keep up, and quick.
const EXPIRED_DELETED_AT_ONCE: i64 = 100;

/// Begins a session for an API key, and deletes some expired sessions.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    hash: &[u8; 32],
    key: ApiKeyId,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::hash.eq(hash.as_slice()),
            sessions::api_key_id.eq(bind(key)),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(connection)
        .await?;
    // Expired sessions are deleted here, as no sweep goes through this table.
    let expired: Vec<Vec<u8>> = sessions::table
        .filter(sessions::expires_at.lt(now))
        .order(sessions::expires_at)
        .limit(EXPIRED_DELETED_AT_ONCE)
        .select(sessions::hash)
        .load(connection)
        .await?;
    diesel::delete(sessions::table.filter(sessions::hash.eq_any(expired)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Finds the API key of a session. `None`: the session has expired, or the key is not valid.
pub async fn find_key(
    connection: &mut AsyncPgConnection,
    hash: &[u8; 32],
) -> Result<Option<ApiKeyRow>, StoreError> {
    let key: Option<ApiKeyId> = sessions::table
        .filter(sessions::hash.eq(hash.as_slice()))
        .filter(sessions::expires_at.gt(now))
        .select(sessions::api_key_id)
        .first(connection)
        .await
        .optional()?;
    match key {
        // A session ends with its key: a revoked or expired key is not found.
        Some(key) => api_keys::find_used(connection, KeyBy::Id(key)).await,
        None => Ok(None),
    }
}

/// Ends a session.
pub async fn delete(connection: &mut AsyncPgConnection, hash: &[u8; 32]) -> Result<(), StoreError> {
    diesel::delete(sessions::table.find(hash.as_slice()))
        .execute(connection)
        .await?;
    Ok(())
}
