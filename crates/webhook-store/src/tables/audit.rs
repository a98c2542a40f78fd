//! Table `audit_entries`: changes, with author, time, and the values before and after.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::{NoContext, Timestamp, Uuid};
use webhook_domain::{ApiKeyId, AuditAction, MaskedUrl, WebhookId, WebhookUrl};

use crate::StoreError;
use crate::column_types::bind;
use crate::ids::least_id_at;
use crate::schema::audit_entries;

/// The most entries in one statement: 10 values each, of at most 65,535 values of a statement.
const ENTRIES_PER_STATEMENT: usize = 1_000;

/// The author of a change: an API key, a command, or the platform.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_entries, check_for_backend(diesel::pg::Pg))]
pub struct Actor {
    /// The API key; `None`: the platform itself, or the command line.
    #[diesel(column_name = actor_id)]
    pub key_id: Option<ApiKeyId>,
    /// The name of the API key, or `platform`, or the name of the command.
    #[diesel(column_name = actor_name)]
    pub name: String,
    /// The id of the request for the change.
    pub request_id: Option<String>,
}

impl Actor {
    /// The platform as the author, without a request.
    pub fn platform() -> Self {
        Self {
            key_id: None,
            name: "platform".to_owned(),
            request_id: None,
        }
    }
}

/// A change in the audit log.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_entries, check_for_backend(diesel::pg::Pg))]
pub struct AuditEntry {
    /// The kind of change.
    pub action: AuditAction,
    /// The changed webhook; `None`: another thing was changed.
    pub webhook_id: Option<WebhookId>,
    /// The name of the changed thing at the time of the change.
    pub subject: String,
    /// The changed fields with their values before, as a JSON object; without secrets.
    pub before: Option<Value>,
    /// The same fields with their values after.
    pub after: Option<Value>,
}

impl AuditEntry {
    /// An entry without a webhook and without values.
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

/// Writes an entry, in the transaction that makes the change.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    actor: &Actor,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    insert_all(connection, actor, std::slice::from_ref(entry)).await
}

/// Writes entries, in the transaction that makes the changes.
pub async fn insert_all(
    connection: &mut AsyncPgConnection,
    actor: &Actor,
    entries: &[AuditEntry],
) -> Result<(), StoreError> {
    use audit_entries::dsl;
    let at = Utc::now();
    for chunk in entries.chunks(ENTRIES_PER_STATEMENT) {
        let rows = chunk.iter().map(|entry| {
            (
                dsl::id.eq(id_at(at, Uuid::new_v7)),
                dsl::at.eq(at),
                dsl::actor_id.eq(actor.key_id),
                dsl::actor_name.eq(&actor.name),
                dsl::request_id.eq(&actor.request_id),
                dsl::action.eq(bind(entry.action)),
                dsl::webhook_id.eq(entry.webhook_id),
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

/// Masks the URLs in all entries about a webhook whose URL has become a password.
pub(crate) async fn mask_urls(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
) -> Result<(), StoreError> {
    use audit_entries::dsl;
    let rows = dsl::audit_entries
        .filter(dsl::webhook_id.eq(Some(webhook_id)))
        .select((dsl::id, dsl::before, dsl::after));
    let rows: Vec<(Uuid, Option<Value>, Option<Value>)> = rows.load(connection).await?;
    for (id, mut before, mut after) in rows {
        let is_masked = [&mut before, &mut after].map(mask_url);
        if is_masked.contains(&true) {
            diesel::update(dsl::audit_entries.find(id))
                .set((dsl::before.eq(before), dsl::after.eq(after)))
                .execute(connection)
                .await?;
        }
    }
    Ok(())
}

/// Masks the field `url` of an entry's values. `false`: there is no whole URL.
fn mask_url(values: &mut Option<Value>) -> bool {
    let Some(url) = values.as_mut().and_then(|values| values.get_mut("url")) else {
        return false;
    };
    let whole = url.as_str().filter(|text| MaskedUrl::parse(text).is_none());
    let Some(whole) = whole.and_then(|text| WebhookUrl::from_stored(text).ok()) else {
        return false;
    };
    *url = Value::String(whole.masked());
    true
}

/// A UUID v7 of a time: entries sort by id in the order of time.
fn id_at(at: DateTime<Utc>, make: fn(Timestamp) -> Uuid) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
    make(Timestamp::from_unix(
        NoContext,
        seconds,
        at.timestamp_subsec_nanos(),
    ))
}

/// A stored audit entry.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_entries, check_for_backend(diesel::pg::Pg))]
pub struct AuditRow {
    /// The entry's id, a UUID v7: ids sort in the order of time.
    pub id: Uuid,
    /// The time of the change.
    pub at: DateTime<Utc>,
    /// The author of the change.
    #[diesel(embed)]
    pub actor: Actor,
    /// The change.
    #[diesel(embed)]
    pub entry: AuditEntry,
}

/// Selects audit entries, page by page.
#[derive(Debug, Default)]
pub struct AuditFilter {
    /// Only changes of the webhook.
    pub webhook_id: Option<WebhookId>,
    /// Only changes by the API key.
    pub actor_id: Option<ApiKeyId>,
    /// Only changes of the kind.
    pub action: Option<AuditAction>,
    /// Only changes at the time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only changes before the time.
    pub until: Option<DateTime<Utc>>,
    /// The last entry of the page before; `None`: the first page.
    pub after: Option<Uuid>,
    /// The most entries of a page.
    pub limit: i64,
}

/// Lists entries, newest first.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &AuditFilter,
) -> Result<Vec<AuditRow>, StoreError> {
    use audit_entries::dsl;
    let mut query = dsl::audit_entries
        .select(AuditRow::as_select())
        .into_boxed();
    if let Some(webhook_id) = filter.webhook_id {
        query = query.filter(dsl::webhook_id.eq(Some(webhook_id)));
    }
    if let Some(actor_id) = filter.actor_id {
        query = query.filter(dsl::actor_id.eq(Some(actor_id)));
    }
    if let Some(action) = filter.action {
        query = query.filter(dsl::action.eq(bind(action)));
    }
    if let Some(since) = filter.since {
        // The index is by id, whose first bits are the time.
        query = query.filter(dsl::id.ge(least_id_at(since)).and(dsl::at.ge(since)));
    }
    if let Some(until) = filter.until {
        // Ids hold whole milliseconds, and `until` may lie within a millisecond: the id serves the
        // index, the time decides.
        let next = least_id_at(until + chrono::TimeDelta::milliseconds(1));
        query = query.filter(dsl::id.lt(next).and(dsl::at.lt(until)));
    }
    if let Some(after) = filter.after {
        query = query.filter(dsl::id.lt(after));
    }
    let query = query.order(dsl::id.desc()).limit(filter.limit);
    Ok(query.load(connection).await?)
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
