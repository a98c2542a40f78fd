//! Table `api_keys`: who may call the API. Only hashes are stored.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{ApiKey, ApiKeyId, Role};

use crate::schema::api_keys;
use crate::{StoreError, error::name};

/// An API key as it is remembered.
#[derive(Debug, Clone)]
pub struct ApiKeyRow {
    /// Identifies it without revealing it.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// Its first characters.
    pub prefix: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Remembers a key.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    id: ApiKeyId,
    key_name: &str,
    role: Role,
    key: &ApiKey,
) -> Result<(), StoreError> {
    use api_keys::dsl;
    diesel::insert_into(dsl::api_keys)
        .values((
            dsl::id.eq(id.0),
            dsl::name.eq(key_name),
            dsl::role.eq(role.as_str()),
            dsl::prefix.eq(key.prefix()),
            dsl::hash.eq(key.hash().to_vec()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Finds the key that hashes to `hash`.
pub async fn find_by_hash(
    connection: &mut AsyncPgConnection,
    hash: &[u8; 32],
) -> Result<Option<ApiKeyRow>, StoreError> {
    use api_keys::dsl;
    let row: Option<(Uuid, String, String, String, DateTime<Utc>)> = dsl::api_keys
        .filter(dsl::hash.eq(hash.as_slice()))
        .select((dsl::id, dsl::name, dsl::role, dsl::prefix, dsl::created_at))
        .first(connection)
        .await
        .optional()?;
    row.map(|(id, key_name, role, prefix, created_at)| {
        Ok(ApiKeyRow {
            id: ApiKeyId(id),
            name: key_name,
            role: name(&role)?,
            prefix,
            created_at,
        })
    })
    .transpose()
}
