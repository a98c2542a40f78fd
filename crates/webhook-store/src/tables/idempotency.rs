//! Table `idempotency_keys`: remembered creations, the responses to be given again to repeated requests.

use diesel::dsl::{IntervalDsl, now};
use diesel::pg::Pg;
use diesel::prelude::*;

use diesel::sql_types::Timestamptz;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::ApiKeyId;

use crate::column_types::bind;
use crate::error::unreadable;
use crate::schema::idempotency_keys;
use crate::tables::secrets::prefix;
use crate::{SealingKeys, StoreError};

/// How long a creation is remembered, in hours. Afterwards the client may reuse the key.
const KEPT_HOURS: i32 = 24;

/// A request with an idempotency key.
#[derive(Debug, Clone, Copy)]
pub struct Repeatable<'a> {
    /// The API key of the client.
    pub api_key: ApiKeyId,
    /// The idempotency key, chosen by the client.
    pub key: &'a str,
    /// SHA-256 of the request's method, path and body.
    pub request_hash: &'a [u8],
}

/// The result of looking for a remembered creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A new request: [remember] the response in the transaction of the creation.
    Never(Uuid),
    /// A repeated request, with the response to the first one.
    Answered(String),
    /// The client used the key for another request.
    OtherRequest,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency_keys, check_for_backend(Pg))]
struct Row {
    id: Uuid,
    request_hash: Vec<u8>,
    sealed_answer: Option<Vec<u8>>,
}

/// Looks for the same request within the last 24 hours. Takes the key of a new request.
pub async fn begin(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    request: Repeatable<'_>,
) -> Result<Seen, StoreError> {
    let id = Uuid::now_v7();
    if take(connection, id, request).await? {
        return Ok(Seen::Never(id));
    }
    let row: Row = idempotency_keys::table
        .find((bind(request.api_key), request.key))
        .select(Row::as_select())
        .first(connection)
        .await?;
    // The key alone proves nothing: a client may reuse a key for another request by mistake.
    if row.request_hash != request.request_hash {
        return Ok(Seen::OtherRequest);
    }
    let sealed = row.sealed_answer;
    let sealed = sealed.ok_or_else(|| unreadable("an idempotency key without its response"))?;
    let response = keys.open(row.id, &sealed)?;
    Ok(Seen::Answered(response.to_string()))
}

/// Takes the key of a request, if unused within the last 24 hours. `false`: the key is in use.
async fn take(
    connection: &mut AsyncPgConnection,
    id: Uuid,
    request: Repeatable<'_>,
) -> Result<bool, StoreError> {
    use idempotency_keys::dsl;
    let too_old = now.into_sql::<Timestamptz>() - KEPT_HOURS.hours();
    // The same request at the same time waits here for the transaction of the first.
    let take = diesel::insert_into(dsl::idempotency_keys)
        .values((
            dsl::id.eq(id),
            dsl::api_key_id.eq(bind(request.api_key)),
            dsl::key.eq(request.key),
            dsl::request_hash.eq(request.request_hash),
        ))
        .on_conflict((dsl::api_key_id, dsl::key))
        .do_update()
        .set((
            dsl::id.eq(excluded(dsl::id)),
            dsl::request_hash.eq(excluded(dsl::request_hash)),
            dsl::sealed_answer.eq(None::<Vec<u8>>),
            dsl::created_at.eq(now),
        ));
    let taken = diesel::query_dsl::methods::FilterDsl::filter(take, dsl::created_at.lt(too_old));
    Ok(taken.execute(connection).await? == 1)
}

/// Remembers the response to a new request, and the id of the created thing.
pub async fn remember(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: Uuid,
    request: Repeatable<'_>,
    (created, response): (Uuid, &str),
) -> Result<(), StoreError> {
    use idempotency_keys::dsl;
    diesel::update(dsl::idempotency_keys.find((bind(request.api_key), request.key)))
        .set((
            // Sealed, as a response may hold a secret: a new API key or Webhook Secret.
            dsl::sealed_answer.eq(keys.seal(id, response)),
            dsl::made_id.eq(created),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the remembered creations of a deleted thing: the responses hold secrets.
pub async fn forget_made(
    connection: &mut AsyncPgConnection,
    created: Uuid,
) -> Result<(), StoreError> {
    let remembered = idempotency_keys::table.filter(idempotency_keys::made_id.eq(created));
    diesel::delete(remembered).execute(connection).await?;
    Ok(())
}

/// Forgets remembered creations older than 24 hours. Returns the number.
pub async fn forget_old(connection: &mut AsyncPgConnection) -> Result<usize, StoreError> {
    let too_old = now.into_sql::<Timestamptz>() - KEPT_HOURS.hours();
    let old = idempotency_keys::table.filter(idempotency_keys::created_at.lt(too_old));
    Ok(diesel::delete(old).execute(connection).await?)
}

/// Forgets remembered creations not sealed with the first sealing key: an unreadable response would fail
/// the repeated request. Returns the number.
pub async fn forget_sealed_otherwise(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
) -> Result<usize, StoreError> {
    let sealed = idempotency_keys::sealed_answer.assume_not_null();
    let others = idempotency_keys::table
        .filter(idempotency_keys::sealed_answer.is_not_null())
        // A sealed value begins with the 8 bytes of its key's id.
        .filter(prefix(sealed, 1, 8).ne(keys.first_id()));
    Ok(diesel::delete(others).execute(connection).await?)
}
