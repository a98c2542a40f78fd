//! Webhooks searched, filtered, sorted, in pages.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::dsl::{Eq, LeftJoinQuerySource, Nullable as Nullably, count_star};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{Environment, EventPattern, EventType, WebhookId, WebhookStatus};

use super::Webhook;
use super::columns::Row;
use crate::StoreError;
use crate::activity::ActivityRow;
use crate::health::FailingRow;
use crate::retry_policies::Policies;
use crate::schema::{webhook_activity, webhook_health, webhooks};

/// Which webhooks to list, and from where on.
#[derive(Debug, Default)]
pub struct WebhookFilter {
    /// With this text in their name or URL, in any case.
    pub search: Option<String>,
    /// Of this environment only.
    pub environment: Option<Environment>,
    /// In this status only.
    pub status: Option<WebhookStatus>,
    /// Subscribed to this type only.
    pub event_type: Option<EventType>,
    /// Only those that are failing, or only those that are not.
    pub failing: Option<bool>,
    /// In which order.
    pub sort: Sort,
    /// After this one, which was the last of the page before.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: i64,
}

/// In which order webhooks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// What webhooks are sorted by; equals are sorted by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// When it was made.
    Created,
    /// Its name, in any case.
    Name,
    /// When its latest attempt began; those without one count as the oldest.
    LastAttempt,
}

impl Default for Sort {
    /// Newest first.
    fn default() -> Self {
        Self {
            by: SortKey::Created,
            descending: true,
        }
    }
}

/// A place in a sorted list: that of a webhook as it was when it was listed. It stays where it is
/// when that webhook moves or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The webhook.
    pub id: WebhookId,
    /// Its name, where that is what is sorted by.
    pub name: String,
    /// Its latest attempt, where that is what is sorted by.
    pub attempted_at: Option<DateTime<Utc>>,
}

impl Webhook {
    /// Its place in a list.
    pub fn position(&self) -> Position {
        Position {
            id: self.id,
            name: self.settings.name.as_str().to_owned(),
            attempted_at: self.last_attempt.as_ref().map(|last| last.attempted_at),
        }
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn lower(text: Text) -> Text;
    fn strpos(text: Text, part: Text) -> Integer;
}

type Joined = LeftJoinQuerySource<
    LeftJoinQuerySource<webhooks::table, webhook_health::table>,
    webhook_activity::table,
    Eq<Nullably<webhook_activity::webhook_id>, Nullably<webhooks::id>>,
>;
type Condition = Box<dyn BoxableExpression<Joined, Pg, SqlType = Nullable<Bool>>>;

/// What `filter` asks for, page aside.
fn conditions(filter: &WebhookFilter) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = vec![Box::new(webhooks::deleted_at.is_null().nullable())];
    if let Some(search) = &filter.search {
        conditions.push(found(search));
    }
    if let Some(environment) = filter.environment {
        let same = webhooks::environment.eq(environment.as_str());
        conditions.push(Box::new(same.nullable()));
    }
    if let Some(status) = filter.status {
        conditions.push(Box::new(webhooks::status.eq(status.as_str()).nullable()));
    }
    if let Some(event_type) = filter.event_type {
        // Any pattern that stands for it: cheaper than to look at the subscriptions one by one.
        let group = EventPattern::Group(event_type.group());
        let patterns = [EventPattern::All, group, EventPattern::One(event_type)];
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let selects = webhooks::event_types.overlaps_with(patterns);
        conditions.push(Box::new(selects.nullable()));
    }
    let failures = webhook_health::failures.nullable();
    match filter.failing {
        Some(true) => conditions.push(Box::new(failures.gt(0))),
        Some(false) => {
            conditions.push(Box::new(failures.is_null().nullable().or(failures.eq(0))));
        }
        None => {}
    }
    conditions
}

/// The index of trigrams finds any text of three characters or more. For a shorter one it would
/// read itself whole, which is slower than to read the rows.
fn found(search: &str) -> Condition {
    if search.chars().count() < 3 {
        let at = strpos(webhooks::search_text, lower(search.to_owned()));
        return Box::new(at.gt(0).nullable());
    }
    let pattern = format!("%{}%", escaped(search));
    Box::new(webhooks::search_text.like(lower(pattern)).nullable())
}

/// `LIKE` takes these three for itself.
pub(crate) fn escaped(search: &str) -> String {
    let mut text = String::with_capacity(search.len());
    for c in search.chars() {
        if matches!(c, '\\' | '%' | '_') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// What comes after a place, one condition per order.
fn beyond(sort: Sort, after: &Position) -> Condition {
    let id = after.id.0;
    let (name, at) = (after.name.as_str().to_owned(), after.attempted_at);
    let by_name = lower(webhooks::name);
    let attempted = webhook_activity::attempted_at.nullable();
    match (sort.by, sort.descending) {
        (SortKey::Created, true) => Box::new(webhooks::id.lt(id).nullable()),
        (SortKey::Created, false) => Box::new(webhooks::id.gt(id).nullable()),
        (SortKey::Name, true) => {
            let same = by_name.eq(lower(name.clone())).and(webhooks::id.lt(id));
            Box::new(by_name.lt(lower(name)).or(same).nullable())
        }
        (SortKey::Name, false) => {
            let same = by_name.eq(lower(name.clone())).and(webhooks::id.gt(id));
            Box::new(by_name.gt(lower(name)).or(same).nullable())
        }
        (SortKey::LastAttempt, true) => match at {
            Some(at) => {
                let never = attempted.is_null().nullable();
                let same = attempted.eq(at).and(webhooks::id.lt(id));
                Box::new(attempted.lt(at).or(same).or(never))
            }
            None => Box::new(attempted.is_null().and(webhooks::id.lt(id)).nullable()),
        },
        (SortKey::LastAttempt, false) => match at {
            Some(at) => Box::new(
                attempted
                    .gt(at)
                    .or(attempted.eq(at).and(webhooks::id.gt(id))),
            ),
            None => {
                let same = attempted.is_null().and(webhooks::id.gt(id));
                Box::new(attempted.is_not_null().or(same).nullable())
            }
        },
    }
}

/// Lists webhooks.
///
/// Which ones is found out first, with as little of each as can be: sorting whole rows would take
/// three times as long.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &WebhookFilter,
) -> Result<Vec<Webhook>, StoreError> {
    let mut query = webhooks::table
        .left_join(webhook_health::table)
        .left_join(webhook_activity::table)
        .select(webhooks::id)
        .into_boxed();
    for condition in conditions(filter) {
        query = query.filter(condition);
    }
    if let Some(after) = &filter.after {
        query = query.filter(beyond(filter.sort, after));
    }
    let (by_name, attempted) = (
        lower(webhooks::name),
        webhook_activity::attempted_at.nullable(),
    );
    query = match (filter.sort.by, filter.sort.descending) {
        (SortKey::Created, true) => query.order(webhooks::id.desc()),
        (SortKey::Created, false) => query.order(webhooks::id.asc()),
        (SortKey::Name, true) => query.order((by_name.desc(), webhooks::id.desc())),
        (SortKey::Name, false) => query.order((by_name.asc(), webhooks::id.asc())),
        (SortKey::LastAttempt, true) => {
            query.order((attempted.desc().nulls_last(), webhooks::id.desc()))
        }
        (SortKey::LastAttempt, false) => {
            query.order((attempted.asc().nulls_first(), webhooks::id.asc()))
        }
    };
    let ids: Vec<Uuid> = query.limit(filter.limit).load(connection).await?;
    read_in_order(connection, &ids).await
}

/// Counts what a list would have on all its pages.
pub async fn count(
    connection: &mut AsyncPgConnection,
    filter: &WebhookFilter,
) -> Result<i64, StoreError> {
    let mut query = webhooks::table
        .left_join(webhook_health::table)
        .left_join(webhook_activity::table)
        .select(count_star())
        .into_boxed();
    for condition in conditions(filter) {
        query = query.filter(condition);
    }
    Ok(query.first(connection).await?)
}

async fn read_in_order(
    connection: &mut AsyncPgConnection,
    ids: &[Uuid],
) -> Result<Vec<Webhook>, StoreError> {
    let query = webhooks::table
        .left_join(webhook_health::table)
        .left_join(webhook_activity::table)
        .filter(webhooks::id.eq_any(ids))
        .select((
            Row::as_select(),
            Option::<FailingRow>::as_select(),
            Option::<ActivityRow>::as_select(),
        ));
    let rows: Vec<(Row, Option<FailingRow>, Option<ActivityRow>)> = query.load(connection).await?;
    let mut policies = Policies::read(connection, ids).await?;
    let mut by_id = HashMap::with_capacity(rows.len());
    for (row, failing, activity) in rows {
        let (id, policy) = (row.id, policies.take_own(row.id));
        by_id.insert(id, row.read(failing, activity, policy)?);
    }
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// What these webhooks are called, in the order of their names.
pub async fn list_names(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<Vec<(WebhookId, String)>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let named = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::id.eq_any(ids))
        .order((lower(webhooks::name), webhooks::id))
        .select((webhooks::id, webhooks::name));
    let names: Vec<(Uuid, String)> = named.load(connection).await?;
    let names = names.into_iter().map(|(id, name)| (WebhookId(id), name));
    Ok(names.collect())
}

/// The ids of the webhooks of an environment that are called so, the oldest first.
pub async fn list_named(
    connection: &mut AsyncPgConnection,
    environment: Environment,
    name: &str,
) -> Result<Vec<WebhookId>, StoreError> {
    let named = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::environment.eq(environment.as_str()))
        .filter(lower(webhooks::name).eq(lower(name)))
        .filter(webhooks::name.eq(name))
        .order(webhooks::id)
        .select(webhooks::id);
    let ids: Vec<Uuid> = named.load(connection).await?;
    Ok(ids.into_iter().map(WebhookId).collect())
}

/// The webhooks that have this text in their name, in any case; those that were deleted too.
pub(crate) async fn ids_named_like(
    connection: &mut AsyncPgConnection,
    search: &str,
) -> Result<Vec<Uuid>, StoreError> {
    let pattern = format!("%{}%", escaped(search));
    let named = webhooks::table
        .filter(lower(webhooks::name).like(lower(pattern)))
        .select(webhooks::id);
    Ok(named.load(connection).await?)
}

/// The names that more than one webhook of an environment has.
pub async fn list_repeated_names(
    connection: &mut AsyncPgConnection,
    environment: Environment,
) -> Result<HashSet<String>, StoreError> {
    let repeated = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::environment.eq(environment.as_str()))
        .group_by(webhooks::name)
        .having(count_star().gt(1))
        .select(webhooks::name);
    let names: Vec<String> = repeated.load(connection).await?;
    Ok(names.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_like_would_take_for_itself_is_escaped() {
        assert_eq!(escaped(r"50%_a\b"), r"50\%\_a\\b");
    }
}
