//! Table `idempotency_keys`: answers to requests that made something, for when they are repeated.

use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::{Bytea, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::ApiKeyId;

use crate::error::unreadable;
use crate::schema::idempotency_keys;
use crate::secrets::prefix;
use crate::statement::statement;
use crate::{SealingKeys, StoreError};

/// For how long an answer is kept, in hours; [`Take`] says so too.
const KEPT_HOURS: i32 = 24;

/// A request that may be repeated.
#[derive(Debug, Clone, Copy)]
pub struct Repeatable<'a> {
    /// Who sends it.
    pub api_key: ApiKeyId,
    /// What they call it.
    pub key: &'a str,
    /// SHA-256 of what it asks for.
    pub request_hash: &'a [u8],
}

/// Whether a request was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It was not: do it, and [remember] the answer in the same transaction.
    Never(Uuid),
    /// It was, and this was the answer.
    Answered(String),
    /// The key was used for another request.
    OtherRequest,
}

statement! {
    /// A key that is older than a day is free again.
    Take<'a> -> diesel::sql_types::Untyped {
        "INSERT INTO idempotency_keys AS known (id, api_key_id, key, request_hash)
         VALUES (", id: &'a Uuid => SqlUuid,
        ", ", api_key_id: Uuid => SqlUuid,
        ", ", key: &'a str => Text,
        ", ", request_hash: &'a [u8] => Bytea,
        ") ON CONFLICT (api_key_id, key) DO UPDATE
            SET id = excluded.id, request_hash = excluded.request_hash, sealed_answer = NULL,
                created_at = now()
            WHERE known.created_at < now() - interval '24 hours'"
    }
}

/// Looks whether a request was seen within the last 24 hours, and takes its key if it was not.
/// The same request at the same time waits here for the first one's transaction.
pub async fn begin(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    request: Repeatable<'_>,
) -> Result<Seen, StoreError> {
    use idempotency_keys::dsl;
    let id = Uuid::now_v7();
    let take = Take {
        id: &id,
        api_key_id: request.api_key.0,
        key: request.key,
        request_hash: request.request_hash,
    };
    let taken = take.execute(connection).await?;
    if taken == 1 {
        return Ok(Seen::Never(id));
    }
    let (id, hash, sealed): (Uuid, Vec<u8>, Option<Vec<u8>>) = dsl::idempotency_keys
        .find((request.api_key.0, request.key))
        .select((dsl::id, dsl::request_hash, dsl::sealed_answer))
        .first(connection)
        .await?;
    if hash != request.request_hash {
        return Ok(Seen::OtherRequest);
    }
    let sealed = sealed.ok_or_else(|| unreadable("an idempotency key without its answer"))?;
    let answer = keys.open(id, &sealed)?;
    Ok(Seen::Answered(answer.to_string()))
}

/// Remembers the answer to a request that [`begin`] had never seen, and what was made.
pub async fn remember(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: Uuid,
    request: Repeatable<'_>,
    (made, answer): (Uuid, &str),
) -> Result<(), StoreError> {
    use idempotency_keys::dsl;
    diesel::update(dsl::idempotency_keys.find((request.api_key.0, request.key)))
        .set((
            dsl::sealed_answer.eq(keys.seal(id, answer)),
            dsl::made_id.eq(made),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the answers that told of something that is gone: they hold its secret.
pub async fn forget_made(connection: &mut AsyncPgConnection, made: Uuid) -> Result<(), StoreError> {
    let answers = idempotency_keys::table.filter(idempotency_keys::made_id.eq(made));
    diesel::delete(answers).execute(connection).await?;
    Ok(())
}

/// Forgets answers that are older than a day.
pub async fn forget_old(connection: &mut AsyncPgConnection) -> Result<usize, StoreError> {
    let a_day_ago = now.into_sql::<Timestamptz>() - KEPT_HOURS.hours();
    let old = idempotency_keys::table.filter(idempotency_keys::created_at.lt(a_day_ago));
    Ok(diesel::delete(old).execute(connection).await?)
}

/// Forgets answers that were not sealed with the first key: one that cannot be opened is worth
/// less than none.
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
