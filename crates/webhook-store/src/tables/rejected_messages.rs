//! Table `rejected_messages`: what could not be an event, until an admin requeues or discards it.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, now};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::outside::MAX_REJECTED_BODY_BYTES;
use webhook_domain::{Origin, RejectionReason};

use crate::StoreError;
use crate::schema::rejected_messages;
use crate::webhooks::escaped;

/// How many bytes of bodies are sent to Postgres in one statement, about: each is copied for it.
const STATEMENT_BYTES: usize = 4 * 1024 * 1024;

/// What is larger than an event cannot be requeued. Earlier versions kept more of it.
const MOST_OF_AN_EVENT: i64 = 256 * 1024;

/// A message to be written down.
#[derive(Debug)]
pub struct NewRejectedMessage<'a> {
    /// A UUID v7. The same id again is the same message.
    pub id: Uuid,
    /// Why it could not be an event.
    pub reason: &'a RejectionReason,
    /// Where it was published.
    pub origin: &'a Origin,
    /// All of it.
    pub body: &'a [u8],
}

impl NewRejectedMessage<'_> {
    fn kept(&self) -> &[u8] {
        &self.body[..self.body.len().min(MAX_REJECTED_BODY_BYTES)]
    }
}

/// A message that could not be an event, its body aside.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = rejected_messages, check_for_backend(Pg))]
pub struct RejectedMessage {
    /// Its id; ids tell the order.
    pub id: Uuid,
    /// Why it could not be an event.
    pub reason: String,
    /// Where it was published; empty: straight into a queue.
    pub exchange: String,
    /// Given to that exchange.
    pub routing_key: String,
    /// The size of its body as it was published.
    pub body_bytes: i64,
    /// Whether only the start of its body is kept.
    pub body_truncated: bool,
    /// When it was written down, by the clock of Postgres.
    pub rejected_at: DateTime<Utc>,
}

impl RejectedMessage {
    /// Whether it could be an event: it is there as a whole, and no larger than events are.
    pub fn is_whole(&self) -> bool {
        !self.body_truncated && self.body_bytes <= MOST_OF_AN_EVENT
    }
}

/// Which messages.
#[derive(Debug, Clone, Default)]
pub struct RejectedMessageFilter {
    /// With this text in their reason, in any case.
    pub search: Option<String>,
    /// Not before this time.
    pub since: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

type Condition = Box<dyn BoxableExpression<rejected_messages::table, Pg, SqlType = Bool>>;

impl RejectedMessageFilter {
    fn conditions(&self) -> Vec<Condition> {
        let mut conditions: Vec<Condition> = Vec::new();
        if let Some(search) = &self.search {
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

/// How many messages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedCounts {
    /// All of them.
    pub all: i64,
    /// Those whose body is there as a whole.
    pub whole: i64,
}

/// Writes messages down, each once. Of a body that is too large only the start is kept.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    mut messages: &[NewRejectedMessage<'_>],
) -> Result<(), StoreError> {
    while !messages.is_empty() {
        let sizes = messages.iter().map(|message| message.kept().len());
        let (first, later) = messages.split_at(fitting(sizes, STATEMENT_BYTES));
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
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    Ok(())
}

/// Lists messages, newest first, from the one `after` which is the page.
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

/// Finds a message and what is kept of its body.
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

/// Lists whole messages, oldest first, from the one `after` which to go on; as many as `limit`, and
/// as have `max_bytes` together, or one that alone has more.
pub async fn list_whole(
    connection: &mut AsyncPgConnection,
    filter: &RejectedMessageFilter,
    after: Option<Uuid>,
    (limit, max_bytes): (i64, usize),
) -> Result<Vec<(RejectedMessage, Vec<u8>)>, StoreError> {
    let mut sizes = rejected_messages::table
        .filter(rejected_messages::body_truncated.eq(false))
        .filter(rejected_messages::body_bytes.le(MOST_OF_AN_EVENT))
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

/// How many of these sizes fit into `max_bytes`, from the first on; one at least, if there is one.
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
    let whole = diesel::dsl::count(rejected_messages::id).aggregate_filter(
        rejected_messages::body_truncated
            .eq(false)
            .and(rejected_messages::body_bytes.le(MOST_OF_AN_EVENT)),
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

/// The time by which messages are told to be older or newer.
pub async fn clock(connection: &mut AsyncPgConnection) -> Result<DateTime<Utc>, StoreError> {
    let clock = diesel::select(now.into_sql::<Timestamptz>());
    Ok(clock.get_result(connection).await?)
}

/// Deletes messages. Tells how many were there.
pub async fn delete(connection: &mut AsyncPgConnection, ids: &[Uuid]) -> Result<usize, StoreError> {
    let messages = rejected_messages::table.filter(rejected_messages::id.eq_any(ids));
    Ok(diesel::delete(messages).execute(connection).await?)
}

/// How many messages are deleted by one statement: it must end before a statement's time is over.
const DELETED_AT_ONCE: i64 = 5_000;

/// Deletes all messages that `filter` asks for. Tells how many there were.
pub async fn delete_all(
    connection: &mut AsyncPgConnection,
    filter: &RejectedMessageFilter,
) -> Result<usize, StoreError> {
    let mut deleted = 0;
    loop {
        let mut some = rejected_messages::table
            .select(rejected_messages::id)
            .into_boxed();
        for condition in filter.conditions() {
            some = some.filter(condition);
        }
        let some: Vec<Uuid> = some.limit(DELETED_AT_ONCE).load(connection).await?;
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
