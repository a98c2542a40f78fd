//! Table `idempotency_keys`: answers to requests that made something, for when they are repeated.

use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::{Bytea, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::ApiKeyId;

use crate::error::unreadable;
use crate::schema::idempotency_keys;
use crate::statement::statement;
use crate::{SealingKeys, StoreError};

/// For how long an answer is kept, in hours; [`Take`] says so too.
const KEPT_HOURS: i32 = 24;

/// How many old answers are deleted with each new one at most.
const SWEPT: i64 = 10;

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
    /// It was not: do it, and [remember](remember) the answer in the same transaction.
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

/// Remembers the answer to a request that [`begin`] had never seen, and forgets some old ones.
pub async fn remember(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: Uuid,
    request: Repeatable<'_>,
    answer: &str,
) -> Result<(), StoreError> {
    use idempotency_keys::dsl;
    diesel::update(dsl::idempotency_keys.find((request.api_key.0, request.key)))
        .set(dsl::sealed_answer.eq(keys.seal(id, answer)))
        .execute(connection)
        .await?;
    let a_day_ago = now.into_sql::<Timestamptz>() - KEPT_HOURS.hours();
    let old = dsl::idempotency_keys
        .filter(dsl::created_at.lt(a_day_ago))
        .order(dsl::created_at)
        .limit(SWEPT)
        .select(dsl::id)
        .for_update()
        .skip_locked();
    let old: Vec<Uuid> = old.load(connection).await?;
    diesel::delete(dsl::idempotency_keys.filter(dsl::id.eq_any(old)))
        .execute(connection)
        .await?;
    Ok(())
}
