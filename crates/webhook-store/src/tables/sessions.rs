//! Table `sessions`: browsers that signed in with a key. Only hashes are stored.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::ApiKeyId;

use crate::StoreError;
use crate::api_keys::{self, ApiKeyRow, KeyBy};
use crate::schema::sessions;

/// How many sessions that are over are deleted with each new one at most.
const SWEPT: i64 = 100;

/// Begins a session for a key, and forgets some that are over.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    hash: &[u8; 32],
    key: ApiKeyId,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::hash.eq(hash.as_slice()),
            sessions::api_key_id.eq(key.0),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(connection)
        .await?;
    let over: Vec<Vec<u8>> = sessions::table
        .filter(sessions::expires_at.lt(now))
        .order(sessions::expires_at)
        .limit(SWEPT)
        .select(sessions::hash)
        .load(connection)
        .await?;
    diesel::delete(sessions::table.filter(sessions::hash.eq_any(over)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Finds the key of a session that is not over, if the key is valid.
pub async fn find_key(
    connection: &mut AsyncPgConnection,
    hash: &[u8; 32],
) -> Result<Option<ApiKeyRow>, StoreError> {
    let key: Option<uuid::Uuid> = sessions::table
        .filter(sessions::hash.eq(hash.as_slice()))
        .filter(sessions::expires_at.gt(now))
        .select(sessions::api_key_id)
        .first(connection)
        .await
        .optional()?;
    match key {
        Some(key) => api_keys::find_used(connection, KeyBy::Id(ApiKeyId(key))).await,
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
