//! Table `rejected_messages`: messages that are no events, until an admin requeues or discards them.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, now};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::outside::MAX_REJECTED_BODY_BYTES;
use webhook_domain::{PublishedTo, RejectionReason};

use crate::StoreError;
use crate::ids::least_id_at;
use crate::schema::rejected_messages;
use crate::tables::webhooks::escaped;

/// About the most bytes of bodies in one statement: every body is copied for its statement.
const MAX_STATEMENT_BYTES: usize = 4 * 1024 * 1024;

/// The largest body of an event, in bytes. A larger message cannot be requeued;
/// earlier versions kept larger bodies whole.
const MAX_EVENT_BYTES: i64 = 256 * 1024;

/// A message to be stored.
#[derive(Debug)]
pub struct NewRejectedMessage<'a> {
    /// A UUID v7. A repeated id is the same message.
    pub id: Uuid,
    /// Why the message is no event.
    pub reason: &'a RejectionReason,
    /// The exchange and routing key of the message.
    pub origin: &'a PublishedTo,
    /// The whole body.
    pub body: &'a [u8],
}

impl NewRejectedMessage<'_> {
    fn kept(&self) -> &[u8] {
        &self.body[..self.body.len().min(MAX_REJECTED_BODY_BYTES)]
    }
}

/// A rejected message without its body.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = rejected_messages, check_for_backend(Pg))]
pub struct RejectedMessage {
    /// The message's id, a UUID v7: ids sort in the order of rejection.
    pub id: Uuid,
    /// Why the message is no event.
    pub reason: String,
    /// The exchange of the message; empty: published straight into a queue.
    pub exchange: String,
    /// The routing key of the message.
    pub routing_key: String,
    /// The size of the published body, in bytes.
    pub body_bytes: i64,
    /// Whether only the start of the body is kept.
    pub body_truncated: bool,
    /// The time of writing, by the clock of Postgres.
    pub rejected_at: DateTime<Utc>,
}

impl RejectedMessage {
    /// Whether the message can be requeued: the body is kept whole, and no larger than an event's.
    pub fn is_whole(&self) -> bool {
        !self.body_truncated && self.body_bytes <= MAX_EVENT_BYTES
    }
}

/// Selects rejected messages.
#[derive(Debug, Clone, Default)]
pub struct RejectedMessageFilter {
    /// Only messages with the text in their reason, in any case.
    pub search: Option<String>,
    /// Only messages rejected at the time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only messages rejected before the time.
    pub until: Option<DateTime<Utc>>,
}

type Condition = Box<dyn BoxableExpression<rejected_messages::table, Pg, SqlType = Bool>>;

impl RejectedMessageFilter {
    fn conditions(&self) -> Vec<Condition> {
        let mut conditions: Vec<Condition> = Vec::new();
        if let Some(search) = &self.search {
            // No index serves the search: rejected messages are searched rarely.
            let pattern = format!("%{}%", escaped(search));
            conditions.push(Box::new(rejected_messages::reason.ilike(pattern)));
        }
        if let Some(since) = self.since {
            conditions.push(Box::new(rejected_messages::rejected_at.ge(since)));
        }
        if let Some(until) = self.until {
            conditions.push(Box::new(rejected_messages::rejected_at.lt(until)));
        }
        conditions
    }
}

/// Numbers of rejected messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedCounts {
    /// All messages.
    pub all: i64,
    /// Messages that can be requeued.
    pub whole: i64,
}

/// Stores messages, each once. Only the start of an oversized body is kept.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    mut messages: &[NewRejectedMessage<'_>],
) -> Result<(), StoreError> {
    // Split by size, not by number: a batch of large messages would take twice its size in memory.
    while !messages.is_empty() {
        let sizes = messages.iter().map(|message| message.kept().len());
        let (first, later) = messages.split_at(fitting(sizes, MAX_STATEMENT_BYTES));
        insert_some(connection, first).await?;
        messages = later;
    }
    Ok(())
}

async fn insert_some(
    connection: &mut AsyncPgConnection,
    messages: &[NewRejectedMessage<'_>],
) -> Result<(), StoreError> {
    use rejected_messages::dsl;
    let rows = messages.iter().map(|message| {
        (
            dsl::id.eq(message.id),
            dsl::reason.eq(message.reason.as_str()),
            dsl::exchange.eq(message.origin.exchange.as_str()),
            dsl::routing_key.eq(message.origin.routing_key.as_str()),
            dsl::body.eq(message.kept()),
            dsl::body_bytes.eq(i64::try_from(message.body.len()).unwrap_or(i64::MAX)),
            dsl::body_truncated.eq(message.kept().len() < message.body.len()),
        )
    });
    diesel::insert_into(dsl::rejected_messages)
        .values(rows.collect::<Vec<_>>())
        // A known id is a message written before, by a call with a lost reply.
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    Ok(())
}

/// Lists messages, newest first. `after`: the last message of the page before.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &RejectedMessageFilter,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<RejectedMessage>, StoreError> {
    let mut query = rejected_messages::table
        .select(RejectedMessage::as_select())
        .into_boxed();
    for condition in filter.conditions() {
        query = query.filter(condition);
    }
    if let Some(after) = after {
        query = query.filter(rejected_messages::id.lt(after));
    }
    let query = query.order(rejected_messages::id.desc()).limit(limit);
    Ok(query.load(connection).await?)
}

/// Finds a message with the kept part of its body.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: Uuid,
) -> Result<Option<(RejectedMessage, Vec<u8>)>, StoreError> {
    let found = rejected_messages::table
        .find(id)
        .select((RejectedMessage::as_select(), rejected_messages::body))
        .first(connection)
        .await
        .optional();
    Ok(found?)
}

/// Lists messages that can be requeued, oldest first, behind `after`: at most `limit` messages with at
/// most `max_bytes` together. The first message may be larger alone.
pub async fn list_whole(
    connection: &mut AsyncPgConnection,
    filter: &RejectedMessageFilter,
    after: Option<Uuid>,
    (limit, max_bytes): (i64, usize),
) -> Result<Vec<(RejectedMessage, Vec<u8>)>, StoreError> {
    // Sizes first, so that only the bodies of this page are read.
    let mut sizes = rejected_messages::table
        .filter(rejected_messages::body_truncated.eq(false))
        .filter(rejected_messages::body_bytes.le(MAX_EVENT_BYTES))
        .select((rejected_messages::id, rejected_messages::body_bytes))
        .into_boxed();
    for condition in filter.conditions() {
        sizes = sizes.filter(condition);
    }
    if let Some(after) = after {
        sizes = sizes.filter(rejected_messages::id.gt(after));
    }
    let sizes = sizes.order(rejected_messages::id).limit(limit);
    let sizes: Vec<(Uuid, i64)> = sizes.load(connection).await?;
    let bytes = sizes
        .iter()
        .map(|(_, bytes)| usize::try_from(*bytes).unwrap_or(usize::MAX));
    let fitting = fitting(bytes, max_bytes);
    let ids: Vec<Uuid> = sizes[..fitting].iter().map(|(id, _)| *id).collect();
    let whole = rejected_messages::table
        .filter(rejected_messages::id.eq_any(ids))
        .order(rejected_messages::id)
        .select((RejectedMessage::as_select(), rejected_messages::body));
    Ok(whole.load(connection).await?)
}

/// The number of sizes, from the first on, that fit into `max_bytes`. The first always fits.
fn fitting(sizes: impl Iterator<Item = usize>, max_bytes: usize) -> usize {
    let mut total = 0_usize;
    let taken = sizes.enumerate().take_while(|(index, bytes)| {
        total = total.saturating_add(*bytes);
        *index == 0 || total <= max_bytes
    });
    taken.count()
}

/// Counts messages.
pub async fn count(
    connection: &mut AsyncPgConnection,
    filter: &RejectedMessageFilter,
) -> Result<RejectedCounts, StoreError> {
    // Both counts in one pass over the table.
    let whole = diesel::dsl::count(rejected_messages::id).aggregate_filter(
        rejected_messages::body_truncated
            .eq(false)
            .and(rejected_messages::body_bytes.le(MAX_EVENT_BYTES)),
    );
    let mut query = rejected_messages::table
        .select((count_star(), whole))
        .into_boxed();
    for condition in filter.conditions() {
        query = query.filter(condition);
    }
    let (all, whole) = query.first(connection).await?;
    Ok(RejectedCounts { all, whole })
}

/// Counts the messages rejected at a time or later, up to `limit`.
pub async fn count_since(
    connection: &mut AsyncPgConnection,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<i64, StoreError> {
    // Ids begin with the time, so the primary key leads to the latest messages.
    let latest = rejected_messages::table
        .filter(rejected_messages::id.ge(least_id_at(since)))
        .select(rejected_messages::id)
        .limit(limit);
    let ids: Vec<Uuid> = latest.load(connection).await?;
    Ok(i64::try_from(ids.len()).unwrap_or(limit))
}

/// The clock that `rejected_at` is written by.
pub async fn clock(connection: &mut AsyncPgConnection) -> Result<DateTime<Utc>, StoreError> {
    let clock = diesel::select(now.into_sql::<Timestamptz>());
    Ok(clock.get_result(connection).await?)
}

/// Deletes messages. Returns the number of deleted messages.
pub async fn delete(connection: &mut AsyncPgConnection, ids: &[Uuid]) -> Result<usize, StoreError> {
    let messages = rejected_messages::table.filter(rejected_messages::id.eq_any(ids));
    Ok(diesel::delete(messages).execute(connection).await?)
}

/// The most messages that one statement deletes, well within the time limit of a statement (15 s).
const MAX_DELETED_AT_ONCE: i64 = 5_000;

/// Deletes all selected messages. Returns the number of deleted messages.
pub async fn delete_all(
    connection: &mut AsyncPgConnection,
    filter: &RejectedMessageFilter,
) -> Result<usize, StoreError> {
    let mut deleted = 0;
    // Selected anew for each statement: others may requeue or discard messages meanwhile.
    loop {
        let mut some = rejected_messages::table
            .select(rejected_messages::id)
            .into_boxed();
        for condition in filter.conditions() {
            some = some.filter(condition);
        }
        let some: Vec<Uuid> = some.limit(MAX_DELETED_AT_ONCE).load(connection).await?;
        if some.is_empty() {
            return Ok(deleted);
        }
        deleted += delete(connection, &some).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_taken_as_fit_and_one_at_least() {
        let fitting = |max_bytes| fitting([30, 20, 60, 1].into_iter(), max_bytes);

        assert_eq!((fitting(50), fitting(111), fitting(10)), (2, 4, 1));
        assert_eq!(super::fitting(std::iter::empty(), 10), 0);
    }
}
