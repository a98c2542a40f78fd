//! Table `audit_entries`: who changed what and when, with the values before and after.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::{NoContext, Timestamp, Uuid};
use webhook_domain::{ApiKeyId, AuditAction, WebhookId};

use crate::StoreError;
use crate::error::name;
use crate::ids::least_id_at;
use crate::schema::audit_entries;

/// How many entries are written in one statement, which has a limit of 65,535 values.
const AT_ONCE: usize = 1_000;

/// Who changes something.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The API key; `None`: the platform itself, or the command line.
    pub key_id: Option<ApiKeyId>,
    /// What the key is called.
    pub name: String,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

impl Actor {
    /// Nobody asked for it.
    pub fn platform() -> Self {
        Self {
            key_id: None,
            name: "platform".to_owned(),
            request_id: None,
        }
    }
}

/// A change.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// What was done.
    pub action: AuditAction,
    /// To which webhook, if to one.
    pub webhook_id: Option<WebhookId>,
    /// What was changed, by its name then.
    pub subject: String,
    /// What changed, as it was before; without secrets.
    pub before: Option<Value>,
    /// The same afterwards.
    pub after: Option<Value>,
}

impl AuditEntry {
    /// An entry without any values.
    pub fn new(action: AuditAction, subject: &str) -> Self {
        Self {
            action,
            webhook_id: None,
            subject: subject.to_owned(),
            before: None,
            after: None,
        }
    }
}

/// Writes an entry, in the transaction that makes it true.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    actor: &Actor,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    insert_all(connection, actor, std::slice::from_ref(entry)).await
}

/// Writes entries, in the transaction that makes them true.
pub async fn insert_all(
    connection: &mut AsyncPgConnection,
    actor: &Actor,
    entries: &[AuditEntry],
) -> Result<(), StoreError> {
    use audit_entries::dsl;
    let at = Utc::now();
    for some in entries.chunks(AT_ONCE) {
        let rows = some.iter().map(|entry| {
            (
                dsl::id.eq(id_at(at, Uuid::new_v7)),
                dsl::at.eq(at),
                dsl::actor_id.eq(actor.key_id.map(|id| id.0)),
                dsl::actor_name.eq(&actor.name),
                dsl::request_id.eq(&actor.request_id),
                dsl::action.eq(entry.action.as_str()),
                dsl::webhook_id.eq(entry.webhook_id.map(|id| id.0)),
                dsl::subject.eq(&entry.subject),
                dsl::before.eq(&entry.before),
                dsl::after.eq(&entry.after),
            )
        });
        diesel::insert_into(dsl::audit_entries)
            .values(rows.collect::<Vec<_>>())
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// An id made from a time, so that ids tell the order.
fn id_at(at: DateTime<Utc>, make: fn(Timestamp) -> Uuid) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
    make(Timestamp::from_unix(
        NoContext,
        seconds,
        at.timestamp_subsec_nanos(),
    ))
}

/// A change as it is remembered.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// Its id; ids tell the order.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub entry: AuditEntry,
}

/// Which entries to list.
#[derive(Debug, Default)]
pub struct AuditFilter {
    /// About this webhook only.
    pub webhook_id: Option<WebhookId>,
    /// By this key only.
    pub actor_id: Option<ApiKeyId>,
    /// Of this kind only.
    pub action: Option<AuditAction>,
    /// Not before this time.
    pub since: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
    /// After this one, which was the last of the page before.
    pub after: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_entries, check_for_backend(diesel::pg::Pg))]
struct Row {
    id: Uuid,
    at: DateTime<Utc>,
    actor_id: Option<Uuid>,
    actor_name: String,
    request_id: Option<String>,
    action: String,
    webhook_id: Option<Uuid>,
    subject: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Row {
    fn read(self) -> Result<AuditRow, StoreError> {
        Ok(AuditRow {
            id: self.id,
            at: self.at,
            actor: Actor {
                key_id: self.actor_id.map(ApiKeyId),
                name: self.actor_name,
                request_id: self.request_id,
            },
            entry: AuditEntry {
                action: name(&self.action)?,
                webhook_id: self.webhook_id.map(WebhookId),
                subject: self.subject,
                before: self.before,
                after: self.after,
            },
        })
    }
}

/// Lists entries, newest first.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &AuditFilter,
) -> Result<Vec<AuditRow>, StoreError> {
    use audit_entries::dsl;
    let mut query = dsl::audit_entries.select(Row::as_select()).into_boxed();
    if let Some(webhook_id) = filter.webhook_id {
        query = query.filter(dsl::webhook_id.eq(webhook_id.0));
    }
    if let Some(actor_id) = filter.actor_id {
        query = query.filter(dsl::actor_id.eq(actor_id.0));
    }
    if let Some(action) = filter.action {
        query = query.filter(dsl::action.eq(action.as_str()));
    }
    if let Some(since) = filter.since {
        query = query.filter(dsl::id.ge(least_id_at(since)).and(dsl::at.ge(since)));
    }
    if let Some(until) = filter.until {
        // Ids tell the millisecond, which the time may be in the middle of.
        let next = least_id_at(until + chrono::TimeDelta::milliseconds(1));
        query = query.filter(dsl::id.lt(next).and(dsl::at.lt(until)));
    }
    if let Some(after) = filter.after {
        query = query.filter(dsl::id.lt(after));
    }
    let query = query.order(dsl::id.desc()).limit(filter.limit);
    let rows: Vec<Row> = query.load(connection).await?;
    rows.into_iter().map(Row::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn ids_are_between_the_least_of_their_time_and_the_least_of_the_next() {
        let at = DateTime::from_timestamp_millis(1_795_523_000_123).expect("a time");

        let id = id_at(at, Uuid::new_v7);

        assert!(least_id_at(at) < id);
        assert!(id < least_id_at(at + TimeDelta::milliseconds(1)));
    }
}
