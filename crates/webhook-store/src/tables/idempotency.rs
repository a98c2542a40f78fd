//! Table `idempotency_keys`: responses to requests that created something, to be given again when a
//! client repeats the request.

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

/// How long a remembered creation is kept, in hours. After that its key is free again.
const KEPT_HOURS: i32 = 24;

/// A request that its client may repeat.
#[derive(Debug, Clone, Copy)]
pub struct Repeatable<'a> {
    /// The API key of the client.
    pub api_key: ApiKeyId,
    /// The idempotency key that the client chose.
    pub key: &'a str,
    /// SHA-256 of the request's method, path and body.
    pub request_hash: &'a [u8],
}

/// The result of looking for a remembered creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The request is new: carry it out, and [remember] its response in the same transaction.
    Never(Uuid),
    /// The request was carried out before, with this response.
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

/// Looks for the same request within the last 24 hours, and takes its key when there was none.
pub async fn begin(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    request: Repeatable<'_>,
) -> Result<Seen, StoreError> {
    use idempotency_keys::dsl;
    let id = Uuid::now_v7();
    let too_old = now.into_sql::<Timestamptz>() - KEPT_HOURS.hours();
    // The same request at the same time waits here for the transaction of the first one.
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
    if taken.execute(connection).await? == 1 {
        return Ok(Seen::Never(id));
    }
    let row: Row = dsl::idempotency_keys
        .find((bind(request.api_key), request.key))
        .select(Row::as_select())
        .first(connection)
        .await?;
    if row.request_hash != request.request_hash {
        return Ok(Seen::OtherRequest);
    }
    let sealed = row.sealed_answer;
    let sealed = sealed.ok_or_else(|| unreadable("an idempotency key without its response"))?;
    let response = keys.open(row.id, &sealed)?;
    Ok(Seen::Answered(response.to_string()))
}

/// Remembers the response to a request that [`begin`] had never seen, and the id of the created thing.
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
            dsl::sealed_answer.eq(keys.seal(id, response)),
            dsl::made_id.eq(created),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the remembered creations of a thing that was deleted: their responses hold its secret.
pub async fn forget_made(
    connection: &mut AsyncPgConnection,
    created: Uuid,
) -> Result<(), StoreError> {
    let remembered = idempotency_keys::table.filter(idempotency_keys::made_id.eq(created));
    diesel::delete(remembered).execute(connection).await?;
    Ok(())
}

/// Forgets remembered creations that are older than 24 hours. Returns their number.
pub async fn forget_old(connection: &mut AsyncPgConnection) -> Result<usize, StoreError> {
    let too_old = now.into_sql::<Timestamptz>() - KEPT_HOURS.hours();
    let old = idempotency_keys::table.filter(idempotency_keys::created_at.lt(too_old));
    Ok(diesel::delete(old).execute(connection).await?)
}

/// Forgets remembered creations that were not sealed with the first sealing key: a response that
/// cannot be opened would fail the repeated request. Returns their number.
pub async fn forget_sealed_otherwise(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
) -> Result<usize, StoreError> {
    let sealed = idempotency_keys::sealed_answer.assume_not_null();
    let others = idempotency_keys::table
        .filter(idempotency_keys::sealed_answer.is_not_null())
        .filter(prefix(sealed, 1, 8).ne(keys.first_id()));
    Ok(diesel::delete(others).execute(connection).await?)
}
