//! Table `api_keys`: who may call the API. Only hashes are stored.

use chrono::{DateTime, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{ApiKey, ApiKeyId, KeyName, Role};

use crate::schema::api_keys;
use crate::{StoreError, error::name, idempotency};

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
    /// From when on it is refused; `None`: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
struct Row {
    id: Uuid,
    name: String,
    role: String,
    prefix: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl Row {
    fn read(self) -> Result<ApiKeyRow, StoreError> {
        Ok(ApiKeyRow {
            id: ApiKeyId(self.id),
            name: self.name,
            role: name(&self.role)?,
            prefix: self.prefix,
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
        })
    }
}

/// A key to be remembered.
#[derive(Debug)]
#[allow(missing_docs, reason = "the types say it")]
pub struct NewApiKey<'a> {
    pub id: ApiKeyId,
    pub name: &'a KeyName,
    pub role: Role,
    pub key: &'a ApiKey,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Remembers a key.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    new: &NewApiKey<'_>,
) -> Result<ApiKeyRow, StoreError> {
    use api_keys::dsl;
    let row: Row = diesel::insert_into(dsl::api_keys)
        .values((
            dsl::id.eq(new.id.0),
            dsl::name.eq(new.name.as_str()),
            dsl::role.eq(new.role.as_str()),
            dsl::prefix.eq(new.key.prefix()),
            dsl::hash.eq(new.key.hash().to_vec()),
            dsl::expires_at.eq(new.expires_at),
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await?;
    row.read()
}

/// How a key is found.
#[derive(Debug, Clone, Copy)]
pub enum KeyBy<'a> {
    /// By what it hashes to.
    Hash(&'a [u8; 32]),
    /// By its id.
    Id(ApiKeyId),
}

/// Finds a key, if it is valid, and notes that it is used.
pub async fn find_used(
    connection: &mut AsyncPgConnection,
    by: KeyBy<'_>,
) -> Result<Option<ApiKeyRow>, StoreError> {
    use api_keys::dsl;
    let a_minute_ago = now.into_sql::<Timestamptz>() - 1.minute();
    let fresh = dsl::last_used_at.gt(a_minute_ago.nullable());
    let at_hand = now.into_sql::<Timestamptz>().nullable();
    let valid = dsl::api_keys
        .filter(dsl::revoked_at.is_null())
        .filter(dsl::expires_at.is_null().or(dsl::expires_at.gt(at_hand)))
        .select((Row::as_select(), fresh))
        .into_boxed();
    let found = match by {
        KeyBy::Hash(hash) => valid.filter(dsl::hash.eq(hash.as_slice())),
        KeyBy::Id(id) => valid.filter(dsl::id.eq(id.0)),
    };
    let row: Option<(Row, Option<bool>)> = found.first(connection).await.optional()?;
    let Some((row, fresh)) = row else {
        return Ok(None);
    };
    if fresh != Some(true) {
        diesel::update(dsl::api_keys.find(row.id))
            .set(dsl::last_used_at.eq(now))
            .execute(connection)
            .await?;
    }
    row.read().map(Some)
}

/// Finds a key, whether it is valid or not, without noting that it is used.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: ApiKeyId,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let key = api_keys::table.find(id.0).select(Row::as_select());
    let row: Option<Row> = key.first(connection).await.optional()?;
    row.map(Row::read).transpose()
}

/// Lists keys, newest first, revoked and expired ones included.
pub async fn list(
    connection: &mut AsyncPgConnection,
    after: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ApiKeyRow>, StoreError> {
    use api_keys::dsl;
    let mut query = dsl::api_keys.select(Row::as_select()).into_boxed();
    if let Some(after) = after {
        query = query.filter(dsl::id.lt(after.0));
    }
    let rows: Vec<Row> = query
        .order(dsl::id.desc())
        .limit(limit)
        .load(connection)
        .await?;
    rows.into_iter().map(Row::read).collect()
}

/// What came of revoking a key.
#[derive(Debug, Clone)]
pub enum Revoked {
    /// It is refused from now on.
    Now(ApiKeyRow),
    /// It was revoked before.
    Before,
    /// It is the only valid key of an owner: without it nobody could make another one.
    LastOwner,
    /// There is no such key.
    Unknown,
}

/// Revokes a key. Call it in a transaction: owners' keys are locked, so that two of them cannot
/// revoke each other.
pub async fn revoke(
    connection: &mut AsyncPgConnection,
    id: ApiKeyId,
) -> Result<Revoked, StoreError> {
    use api_keys::dsl;
    let owners: Vec<Uuid> = dsl::api_keys
        .filter(dsl::role.eq(Role::Owner.as_str()))
        .filter(dsl::revoked_at.is_null())
        .filter(
            dsl::expires_at
                .is_null()
                .or(dsl::expires_at.gt(now.into_sql::<Timestamptz>().nullable())),
        )
        .order(dsl::id)
        .select(dsl::id)
        .for_update()
        .load(connection)
        .await?;
    if owners == [id.0] {
        return Ok(Revoked::LastOwner);
    }
    let revoked: Option<Row> = diesel::update(dsl::api_keys.find(id.0))
        .filter(dsl::revoked_at.is_null())
        .set(dsl::revoked_at.eq(now))
        .returning(Row::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    if let Some(row) = revoked {
        idempotency::forget_made(connection, row.id).await?;
        return row.read().map(Revoked::Now);
    }
    let there: i64 = dsl::api_keys
        .filter(dsl::id.eq(id.0))
        .count()
        .get_result(connection)
        .await?;
    Ok(if there == 0 {
        Revoked::Unknown
    } else {
        Revoked::Before
    })
}
