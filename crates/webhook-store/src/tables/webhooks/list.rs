//! Webhooks searched, filtered, sorted, in pages.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::dsl::{Eq, LeftJoinQuerySource, Nullable as Nullably, count_star};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Environment, EventPattern, EventType, WebhookId, WebhookStatus};

use super::row::{Row, Webhook};
use crate::StoreError;
use crate::column_types::{bind, bind_all};
use crate::schema::{webhook_activity, webhook_health, webhooks};
use crate::tables::activity::LastAttempt;
use crate::tables::circuits::FailingRow;
use crate::tables::retry_policies::Policies;

/// Selects webhooks, page by page.
#[derive(Debug, Default)]
pub struct WebhookFilter {
    /// Only webhooks with the text in their name or URL, in any case.
    pub search: Option<String>,
    /// Only webhooks of the environment.
    pub environment: Option<Environment>,
    /// Only webhooks with the status.
    pub status: Option<WebhookStatus>,
    /// Only webhooks that receive the event type.
    pub event_type: Option<EventType>,
    /// `true`: only failing webhooks; `false`: no failing webhooks.
    pub failing: Option<bool>,
    /// The order of the list.
    pub sort: Sort,
    /// The last webhook of the page before; `None`: the first page.
    pub after: Option<Position>,
    /// The most webhooks of a page.
    pub limit: i64,
}

/// The order of a list of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The property to sort by.
    pub by: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A property to sort webhooks by. Equal webhooks are sorted by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The time of creation.
    Created,
    /// The name, in any case.
    Name,
    /// The start of the latest attempt. Webhooks without an attempt count as the oldest.
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

/// A place in a sorted list: the place of a webhook when the page was made. A webhook that changes or
/// is deleted afterwards does not move the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The webhook.
    pub id: WebhookId,
    /// The webhook's name, for lists sorted by name.
    pub name: String,
    /// The webhook's latest attempt, for lists sorted by attempts.
    pub attempted_at: Option<DateTime<Utc>>,
}

impl Webhook {
    /// The webhook's place in a list.
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

/// The conditions of a filter, without those of the page.
fn conditions(filter: &WebhookFilter) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = vec![Box::new(webhooks::deleted_at.is_null().nullable())];
    if let Some(search) = &filter.search {
        conditions.push(found(search));
    }
    if let Some(environment) = filter.environment {
        let same = webhooks::environment.eq(bind(environment));
        conditions.push(Box::new(same.nullable()));
    }
    if let Some(status) = filter.status {
        conditions.push(Box::new(webhooks::status.eq(bind(status)).nullable()));
    }
    if let Some(event_type) = filter.event_type {
        // Any pattern that selects the type: cheaper than a join with the subscriptions.
        let group = EventPattern::Group(event_type.group());
        let patterns = vec![EventPattern::All, group, EventPattern::One(event_type)];
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

/// The condition of a search for a part of a name or URL.
fn found(search: &str) -> Condition {
    // The trigram index finds three characters or more. For a shorter text Postgres would read the
    // whole index, slower than the rows.
    if search.chars().count() < 3 {
        let at = strpos(webhooks::search_text, lower(search.to_owned()));
        return Box::new(at.gt(0).nullable());
    }
    let pattern = format!("%{}%", escaped(search));
    Box::new(webhooks::search_text.like(lower(pattern)).nullable())
}

/// Escapes the three characters with a meaning in a `LIKE` pattern.
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

/// The condition for the webhooks behind a place, by the order of the list.
fn beyond(sort: Sort, after: &Position) -> Condition {
    let id = after.id;
    match (sort.by, sort.descending) {
        (SortKey::Created, true) => Box::new(webhooks::id.lt(bind(id)).nullable()),
        (SortKey::Created, false) => Box::new(webhooks::id.gt(bind(id)).nullable()),
        (SortKey::Name, descending) => beyond_name(id, after.name.clone(), descending),
        (SortKey::LastAttempt, true) => before_attempt(id, after.attempted_at),
        (SortKey::LastAttempt, false) => behind_attempt(id, after.attempted_at),
    }
}

fn beyond_name(id: WebhookId, name: String, descending: bool) -> Condition {
    let by_name = lower(webhooks::name);
    let same = by_name.eq(lower(name.clone()));
    if descending {
        let same = same.and(webhooks::id.lt(bind(id)));
        Box::new(by_name.lt(lower(name)).or(same).nullable())
    } else {
        let same = same.and(webhooks::id.gt(bind(id)));
        Box::new(by_name.gt(lower(name)).or(same).nullable())
    }
}

/// Newest first. Webhooks without an attempt come last.
fn before_attempt(id: WebhookId, at: Option<DateTime<Utc>>) -> Condition {
    let attempted = webhook_activity::attempted_at.nullable();
    let never = attempted.is_null();
    let Some(at) = at else {
        return Box::new(never.and(webhooks::id.lt(bind(id))).nullable());
    };
    let same = attempted.eq(at).and(webhooks::id.lt(bind(id)));
    Box::new(attempted.lt(at).or(same).or(never.nullable()))
}

/// Oldest first. Webhooks without an attempt come first.
fn behind_attempt(id: WebhookId, at: Option<DateTime<Utc>>) -> Condition {
    let attempted = webhook_activity::attempted_at.nullable();
    let Some(at) = at else {
        let same = attempted.is_null().and(webhooks::id.gt(bind(id)));
        return Box::new(attempted.is_not_null().or(same).nullable());
    };
    let same = attempted.eq(at).and(webhooks::id.gt(bind(id)));
    Box::new(attempted.gt(at).or(same))
}

/// Lists webhooks.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &WebhookFilter,
) -> Result<Vec<Webhook>, StoreError> {
    // Ids first: sorting whole rows takes three times as long.
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
    let ids: Vec<WebhookId> = query.limit(filter.limit).load(connection).await?;
    read_in_order(connection, &ids).await
}

/// Counts the webhooks on all pages of a list.
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
    ids: &[WebhookId],
) -> Result<Vec<Webhook>, StoreError> {
    let query = webhooks::table
        .left_join(webhook_health::table)
        .left_join(webhook_activity::table)
        .filter(webhooks::id.eq_any(bind_all(ids)))
        .select((
            Row::as_select(),
            Option::<FailingRow>::as_select(),
            Option::<LastAttempt>::as_select(),
        ));
    let rows: Vec<(Row, Option<FailingRow>, Option<LastAttempt>)> = query.load(connection).await?;
    let mut policies = Policies::read(connection, ids).await?;
    let mut by_id = HashMap::with_capacity(rows.len());
    for (row, failing, activity) in rows {
        let (id, policy) = (row.id, policies.take_own(row.id));
        by_id.insert(id, row.read(failing, activity, policy)?);
    }
    // The second query keeps no order.
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// Lists the webhooks of an environment with exactly the given name, oldest first.
pub async fn list_named(
    connection: &mut AsyncPgConnection,
    environment: Environment,
    name: &str,
) -> Result<Vec<WebhookId>, StoreError> {
    let named = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::environment.eq(bind(environment)))
        .filter(lower(webhooks::name).eq(lower(name)))
        .filter(webhooks::name.eq(name))
        .order(webhooks::id)
        .select(webhooks::id);
    Ok(named.load(connection).await?)
}

/// Lists webhooks, deleted ones included, with the text in their name, in any case.
pub(crate) async fn ids_named_like(
    connection: &mut AsyncPgConnection,
    search: &str,
) -> Result<Vec<WebhookId>, StoreError> {
    let pattern = format!("%{}%", escaped(search));
    let named = webhooks::table
        .filter(lower(webhooks::name).like(lower(pattern)))
        .select(webhooks::id);
    Ok(named.load(connection).await?)
}

/// Lists names shared by several webhooks of an environment.
pub async fn list_repeated_names(
    connection: &mut AsyncPgConnection,
    environment: Environment,
) -> Result<HashSet<String>, StoreError> {
    let repeated = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::environment.eq(bind(environment)))
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
