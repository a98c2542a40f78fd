//! Table `api_keys`: the keys of the API's callers. Only hashes are stored.

use chrono::{DateTime, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{ApiKey, ApiKeyId, KeyName, Role};

use crate::StoreError;
use crate::column_types::bind;
use crate::schema::api_keys;
use crate::tables::idempotency;

/// A stored API key, without its hash.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
pub struct ApiKeyRow {
    /// Identifies the key without revealing it.
    pub id: ApiKeyId,
    /// The name given by an owner.
    pub name: String,
    /// The role of the key's holder.
    pub role: Role,
    /// The first characters of the key, for people to recognise it.
    pub prefix: String,
    /// The time of creation.
    pub created_at: DateTime<Utc>,
    /// The time from which the key is refused; `None`: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// The time of revocation; `None`: not revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The time of the latest use, to the minute; `None`: never used.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// An API key to be stored.
#[derive(Debug)]
#[allow(missing_docs, reason = "ApiKeyRow explains the fields")]
pub struct NewApiKey<'a> {
    pub id: ApiKeyId,
    pub name: &'a KeyName,
    pub role: Role,
    pub key: &'a ApiKey,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Stores a new API key.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    new: &NewApiKey<'_>,
) -> Result<ApiKeyRow, StoreError> {
    use api_keys::dsl;
    let row = diesel::insert_into(dsl::api_keys)
        .values((
            dsl::id.eq(bind(new.id)),
            dsl::name.eq(new.name.as_str()),
            dsl::role.eq(bind(new.role)),
            dsl::prefix.eq(new.key.prefix()),
            dsl::hash.eq(new.key.hash().to_vec()),
            dsl::expires_at.eq(new.expires_at),
        ))
        .returning(ApiKeyRow::as_returning())
        .get_result(connection)
        .await?;
    Ok(row)
}

/// How an API key is looked up.
#[derive(Debug, Clone, Copy)]
pub enum KeyBy<'a> {
    /// By the SHA-256 hash of the key.
    Hash(&'a [u8; 32]),
    /// By the id.
    Id(ApiKeyId),
}

/// Finds a key, neither revoked nor expired, and notes the time of use.
pub async fn find_used(
    connection: &mut AsyncPgConnection,
    by: KeyBy<'_>,
) -> Result<Option<ApiKeyRow>, StoreError> {
    use api_keys::dsl;
    let a_minute_ago = now.into_sql::<Timestamptz>() - 1.minute();
    let recently_used = dsl::last_used_at.gt(a_minute_ago.nullable());
    let valid = dsl::api_keys
        .filter(dsl::revoked_at.is_null())
        .filter(
            dsl::expires_at
                .is_null()
                .or(dsl::expires_at.gt(now.into_sql::<Timestamptz>().nullable())),
        )
        .select((ApiKeyRow::as_select(), recently_used))
        .into_boxed();
    // Found by hash: the comparison of hashes in an index leaks no part of the key.
    let found = match by {
        KeyBy::Hash(hash) => valid.filter(dsl::hash.eq(hash.as_slice())),
        KeyBy::Id(id) => valid.filter(dsl::id.eq(bind(id))),
    };
    let row: Option<(ApiKeyRow, Option<bool>)> = found.first(connection).await.optional()?;
    let Some((key, recently_used)) = row else {
        return Ok(None);
    };
    // At most one write a minute: a write for each request of a busy key would bloat the table.
    if recently_used != Some(true) {
        diesel::update(dsl::api_keys.find(bind(key.id)))
            .set(dsl::last_used_at.eq(now))
            .execute(connection)
            .await?;
    }
    Ok(Some(key))
}

/// Finds an API key, valid or not, without noting a use.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: ApiKeyId,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let key = api_keys::table
        .find(bind(id))
        .select(ApiKeyRow::as_select());
    Ok(key.first(connection).await.optional()?)
}

/// Lists API keys, newest first, revoked and expired ones included.
pub async fn list(
    connection: &mut AsyncPgConnection,
    after: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ApiKeyRow>, StoreError> {
    use api_keys::dsl;
    let mut query = dsl::api_keys.select(ApiKeyRow::as_select()).into_boxed();
    if let Some(after) = after {
        query = query.filter(dsl::id.lt(bind(after)));
    }
    Ok(query
        .order(dsl::id.desc())
        .limit(limit)
        .load(connection)
        .await?)
}

/// The result of revoking an API key.
#[derive(Debug, Clone)]
pub enum Revoked {
    /// The key is refused from now on.
    Now(ApiKeyRow),
    /// The key was revoked before.
    Before,
    /// The key is the only valid key of an owner, and the last chance to create other keys.
    LastOwner,
    /// No key has the id.
    Unknown,
}

/// Revokes an API key. Call in a transaction.
pub async fn revoke(
    connection: &mut AsyncPgConnection,
    id: ApiKeyId,
) -> Result<Revoked, StoreError> {
    let owners = lock_owners(connection).await?;
    if owners == [id] {
        return Ok(Revoked::LastOwner);
    }
    let revoked: Option<ApiKeyRow> = diesel::update(api_keys::table.find(bind(id)))
        .filter(api_keys::revoked_at.is_null())
        .set(api_keys::revoked_at.eq(now))
        .returning(ApiKeyRow::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    if let Some(key) = revoked {
        // The remembered response to the creation holds the key itself.
        idempotency::forget_made(connection, key.id.0).await?;
        return Ok(Revoked::Now(key));
    }
    Ok(match find(connection, id).await? {
        Some(_) => Revoked::Before,
        None => Revoked::Unknown,
    })
}

/// Locks all valid keys of owners until the transaction ends.
async fn lock_owners(connection: &mut AsyncPgConnection) -> Result<Vec<ApiKeyId>, StoreError> {
    use api_keys::dsl;
    // All owners' keys are locked: two owners could otherwise revoke each other at once.
    let owners = dsl::api_keys
        .filter(dsl::role.eq(bind(Role::Owner)))
        .filter(dsl::revoked_at.is_null())
        .filter(
            dsl::expires_at
                .is_null()
                .or(dsl::expires_at.gt(now.into_sql::<Timestamptz>().nullable())),
        )
        .order(dsl::id)
        .select(dsl::id)
        .for_update();
    Ok(owners.load(connection).await?)
}
