//! Webhooks searched, filtered, sorted, in pages.

use std::collections::{HashMap, HashSet};

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{
    Environment, EventPattern, EventType, UrlFingerprint, WebhookHealth, WebhookId, WebhookStatus,
};

use super::joined::{Condition, lower, strpos};
use super::order::{Position, Sort, SortKey, beyond};
use super::row::{Row, Webhook};
use crate::StoreError;
use crate::column_types::{bind, bind_all};
use crate::error::name;
use crate::schema::{webhook_activity, webhook_days, webhook_health, webhooks};
use crate::tables::activity::LastAttempt;
use crate::tables::circuits::FailingRow;
use crate::tables::days::Day;
use crate::tables::retry_policies::Policies;
use crate::tables::templates::Templates;

/// The name of a webhook's health, an expression over the joined tables.
const HEALTH: &str = include_str!("health.sql");

/// Selects webhooks, page by page.
#[derive(Debug, Clone, Default)]
pub struct WebhookFilter {
    /// Only webhooks with the text in their name or shown URL, in any case, or with the fingerprint.
    pub search: Option<String>,
    /// The fingerprints of the searched text under each sealing key; empty: the text is no whole URL.
    pub fingerprints: Vec<UrlFingerprint>,
    /// Only webhooks of the environment.
    pub environment: Option<Environment>,
    /// Only webhooks with the status.
    pub status: Option<WebhookStatus>,
    /// Only webhooks that receive the event type.
    pub event_type: Option<EventType>,
    /// `true`: only failing webhooks; `false`: no failing webhooks.
    pub failing: Option<bool>,
    /// Only webhooks that a filter by the health finds.
    pub health: Option<WebhookHealth>,
    /// The order of the list.
    pub sort: Sort,
    /// The last webhook of the page before; `None`: the first page.
    pub after: Option<Position>,
    /// The most webhooks of a page.
    pub limit: i64,
}

/// The conditions of a filter, without those of the page.
fn conditions(filter: &WebhookFilter) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = vec![Box::new(webhooks::deleted_at.is_null().nullable())];
    if let Some(search) = &filter.search {
        conditions.push(found(search, &filter.fingerprints));
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
    if let Some(health) = filter.health {
        let names = health.found().iter().map(|health| health.as_str());
        let health = sql::<Nullable<Text>>(HEALTH);
        conditions.push(Box::new(health.eq_any(Vec::from_iter(names))));
    }
    conditions
}

/// The condition of a search for a part of a name or shown URL, or for a whole secret URL.
fn found(search: &str, fingerprints: &[UrlFingerprint]) -> Condition {
    // The trigram index finds three characters or more. For a shorter text Postgres would read the
    // whole index, slower than the rows.
    if search.chars().count() < 3 {
        let at = strpos(webhooks::search_text, lower(search.to_owned()));
        return Box::new(at.gt(0).nullable());
    }
    let pattern = format!("%{}%", escaped(search));
    let is_like = webhooks::search_text.like(lower(pattern));
    if fingerprints.is_empty() {
        return Box::new(is_like.nullable());
    }
    let fingerprints = fingerprints.iter().map(|one| one.as_bytes().to_vec());
    let is_whole = webhooks::url_fingerprint.eq_any(Vec::from_iter(fingerprints));
    Box::new(is_like.nullable().or(is_whole))
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

/// Lists webhooks.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &WebhookFilter,
) -> Result<Vec<Webhook>, StoreError> {
    // Ids first: sorting whole rows takes three times as long.
    let mut query = webhooks::table
        .left_join(webhook_health::table)
        .left_join(webhook_activity::table)
        .left_join(webhook_days::table)
        .select(webhooks::id)
        .into_boxed();
    for condition in conditions(filter) {
        query = query.filter(condition);
    }
    if let Some(after) = &filter.after {
        query = query.filter(beyond(filter.sort, after));
    }
    let by_name = lower(webhooks::name);
    let attempted = webhook_activity::attempted_at.nullable();
    let rate = webhook_days::failure_rate.nullable();
    let p95 = webhook_days::p95_ms.nullable();
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
        (SortKey::FailureRate, true) => {
            query.order((rate.desc().nulls_last(), webhooks::id.desc()))
        }
        (SortKey::FailureRate, false) => {
            query.order((rate.asc().nulls_first(), webhooks::id.asc()))
        }
        (SortKey::ResponseTime, true) => {
            query.order((p95.desc().nulls_last(), webhooks::id.desc()))
        }
        (SortKey::ResponseTime, false) => {
            query.order((p95.asc().nulls_first(), webhooks::id.asc()))
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
        .left_join(webhook_days::table)
        .select(count_star())
        .into_boxed();
    for condition in conditions(filter) {
        query = query.filter(condition);
    }
    Ok(query.first(connection).await?)
}

/// Counts the webhooks of a list by health, whatever health the filter asks for. A health without webhooks
/// is left out.
pub async fn count_by_health(
    connection: &mut AsyncPgConnection,
    filter: &WebhookFilter,
) -> Result<Vec<(WebhookHealth, i64)>, StoreError> {
    let mut query = webhooks::table
        .left_join(webhook_health::table)
        .left_join(webhook_activity::table)
        .left_join(webhook_days::table)
        .group_by(sql::<Text>(HEALTH))
        .select((sql::<Text>(HEALTH), count_star()))
        .into_boxed();
    let any = WebhookFilter {
        health: None,
        ..filter.clone()
    };
    for condition in conditions(&any) {
        query = query.filter(condition);
    }
    let rows: Vec<(String, i64)> = query.load(connection).await?;
    let counts = rows
        .iter()
        .map(|(health, count)| Ok((name(health)?, *count)));
    counts.collect()
}

async fn read_in_order(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<Vec<Webhook>, StoreError> {
    let query = webhooks::table
        .left_join(webhook_health::table)
        .left_join(webhook_activity::table)
        .left_join(webhook_days::table)
        .filter(webhooks::id.eq_any(bind_all(ids)))
        .select((
            Row::as_select(),
            Option::<FailingRow>::as_select(),
            Option::<LastAttempt>::as_select(),
            Option::<Day>::as_select(),
        ));
    let rows: Vec<(Row, _, _, _)> = query.load(connection).await?;
    let mut policies = Policies::read(connection, ids).await?;
    let in_use = rows.iter().map(|(row, ..)| (row.id, row.template_version));
    let mut templates = Templates::read(connection, in_use).await?;
    let mut by_id = HashMap::with_capacity(rows.len());
    for (row, failing, activity, day) in rows {
        let (id, policy) = (row.id, policies.take_own(row.id));
        let body = templates.join(id, row.format)?;
        by_id.insert(id, row.read((failing, activity, day), policy, body)?);
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
