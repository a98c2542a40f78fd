//! Deliveries filtered, in pages.
//!
//! Whatever is asked for, a page costs about the same however many deliveries there are. All
//! deliveries with one status, last answer, environment and type are a *group*, and the two
//! indexes hold each group in the order of ids. A list hops from group to group, takes those that
//! are asked for, finds the first row of each, and merges a page out of those that begin it.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::BoxedSqlQuery;
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{
    AnswerRange, DeliveryId, Environment, EventId, EventType, StatusFilter, WebhookId,
};

use super::{DeliveryRow, Row, columns};
use crate::StoreError;
use crate::ids::least_id_at;
use crate::webhooks::ids_named_like;

/// Of so many webhooks or fewer the groups are hopped over one by one. Of more, what is listed is
/// likely to be near the start of a list of all.
const FEW: usize = 100;

/// Which deliveries are meant.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// To this webhook only.
    pub webhook_id: Option<WebhookId>,
    /// To webhooks with this text in their name, in any case.
    pub search: Option<String>,
    /// Of this event only.
    pub event_id: Option<EventId>,
    /// Of events of this type only.
    pub event_type: Option<EventType>,
    /// Of this environment only.
    pub environment: Option<Environment>,
    /// In this status only.
    pub status: Option<StatusFilter>,
    /// With such an answer to their latest attempt only.
    pub response: Option<AnswerRange>,
    /// Not owed before this time.
    pub since: Option<DateTime<Utc>>,
    /// Owed before this time.
    pub until: Option<DateTime<Utc>>,
}

/// In which order deliveries are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// In which order.
    pub order: Order,
    /// Behind this one, which was the last of the page before.
    pub after: Option<DeliveryId>,
    /// At most so many.
    pub limit: i64,
}

/// Lists deliveries.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &DeliveryFilter,
    place: &Place,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let Some(scope) = Scope::of(connection, filter).await? else {
        return Ok(Vec::new());
    };
    let (beyond, direction) = match place.order {
        Order::Newest => ("<", "DESC"),
        Order::Oldest => (">", "ASC"),
    };
    let rows = scope.rows();
    let after = format!("($10::uuid IS NULL OR id {beyond} $10)");
    let page = match scope.way {
        Way::Groups => format!(
            "WITH RECURSIVE {groups}, heads AS (
                SELECT wanted.*, head.id FROM wanted CROSS JOIN LATERAL (
                    SELECT id FROM deliveries WHERE {rows} AND {after}
                    ORDER BY id {direction} LIMIT 1
                ) AS head
                ORDER BY head.id {direction} LIMIT $11
            )
            SELECT row.id FROM heads AS wanted CROSS JOIN LATERAL (
                SELECT id FROM deliveries WHERE {rows} AND {after}
                ORDER BY id {direction} LIMIT $11
            ) AS row
            ORDER BY row.id {direction} LIMIT $11",
            groups = scope.groups(),
        ),
        Way::Event | Way::All => format!(
            "SELECT id FROM deliveries WHERE {rows} AND {after}
             ORDER BY id {direction} LIMIT $11"
        ),
    };
    let text = format!(
        "WITH page AS MATERIALIZED ({page})
         SELECT {columns} FROM deliveries JOIN webhooks ON webhooks.id = webhook_id
         WHERE deliveries.id = ANY(ARRAY(SELECT id FROM page))
         ORDER BY deliveries.id {direction}",
        columns = columns!(),
    );
    let query = scope
        .bind(&text)
        .bind::<Nullable<SqlUuid>, _>(place.after.map(|id| id.0))
        .bind::<BigInt, _>(place.limit);
    let rows: Vec<Row> = query.load(connection).await?;
    rows.into_iter().map(Row::read).collect()
}

/// Counts what a list would have on all its pages. It reads as many rows of an index.
pub async fn count(
    connection: &mut AsyncPgConnection,
    filter: &DeliveryFilter,
) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let Some(scope) = Scope::of(connection, filter).await? else {
        return Ok(0);
    };
    let rows = scope.rows();
    let text = match scope.way {
        Way::Groups => format!(
            "WITH RECURSIVE {groups}
            SELECT coalesce(sum(row.count), 0)::bigint AS count
            FROM wanted CROSS JOIN LATERAL (
                SELECT count(*) AS count FROM deliveries WHERE {rows}
            ) AS row",
            groups = scope.groups(),
        ),
        Way::Event | Way::All => format!("SELECT count(*) AS count FROM deliveries WHERE {rows}"),
    };
    let counted: Counted = scope.bind(&text).get_result(connection).await?;
    Ok(counted.count)
}

/// A filter as the statements take it.
struct Scope<'a> {
    filter: &'a DeliveryFilter,
    /// To these webhooks only.
    webhooks: Option<Vec<Uuid>>,
    /// With such a last answer only.
    answers: Option<AnswerRange>,
    way: Way,
}

/// Which index a list goes by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The groups of some webhooks, or of all.
    Groups,
    /// The deliveries of one event, which are few.
    Event,
    /// All deliveries, or a span of time.
    All,
}

impl<'a> Scope<'a> {
    /// `None`: nothing can be in it.
    async fn of(
        connection: &mut AsyncPgConnection,
        filter: &'a DeliveryFilter,
    ) -> Result<Option<Self>, StoreError> {
        let mut webhooks = filter.webhook_id.map(|id| vec![id.0]);
        if let Some(search) = &filter.search {
            let mut named = ids_named_like(connection, search).await?;
            if let Some(one) = &webhooks {
                named.retain(|id| one.contains(id));
            }
            webhooks = Some(named);
        }
        let mut answers = filter.response;
        if filter.status == Some(StatusFilter::Retrying) {
            let tried = AnswerRange {
                first: 1,
                last: i16::MAX,
            };
            answers = Some(answers.map_or(tried, |asked| AnswerRange {
                first: asked.first.max(tried.first),
                ..asked
            }));
        }
        let nobody = webhooks.as_ref().is_some_and(Vec::is_empty);
        if nobody || answers.is_some_and(|range| range.first > range.last) {
            return Ok(None);
        }
        let grouped = webhooks.is_some()
            || answers.is_some()
            || filter.status.is_some()
            || filter.environment.is_some()
            || filter.event_type.is_some();
        let way = match filter.event_id {
            Some(_) => Way::Event,
            None if grouped => Way::Groups,
            None => Way::All,
        };
        Ok(Some(Self {
            filter,
            webhooks,
            answers,
            way,
        }))
    }

    /// Whether groups are looked for webhook by webhook.
    fn by_webhook(&self) -> bool {
        self.webhooks.as_ref().is_some_and(|ids| ids.len() <= FEW)
    }

    /// The common table expressions `groups` and `wanted`.
    ///
    /// A hop names all columns that the index begins with, and no more: with a column set equal
    /// beside it, Postgres would begin at that column's first row each time. So each line of hops
    /// ends one group too late.
    fn groups(&self) -> String {
        let (given, first, key, scope) = if self.by_webhook() {
            (
                "unnest($1) AS given (webhook_id)",
                "webhook_id = given.webhook_id AND",
                "webhook_id, status, last_answer, environment, event_type",
                "groups.webhook_id = groups.given AND",
            )
        } else {
            (
                "(SELECT NULL::uuid) AS given (webhook_id)",
                "",
                "status, last_answer, environment, event_type",
                "",
            )
        };
        let behind = key
            .split(", ")
            .map(|column| format!("groups.{column}"))
            .collect::<Vec<_>>()
            .join(", ");
        format!(
            "groups AS (
                SELECT first.*, given.webhook_id AS given FROM {given} CROSS JOIN LATERAL (
                    SELECT webhook_id, status, last_answer, environment, event_type
                    FROM deliveries WHERE {first} ($2::text IS NULL OR status = $2::delivery_status)
                    ORDER BY {key} LIMIT 1
                ) AS first
                UNION ALL
                SELECT next.*, groups.given FROM groups CROSS JOIN LATERAL (
                    SELECT webhook_id, status, last_answer, environment, event_type
                    FROM deliveries WHERE ({key}) > ({behind})
                    ORDER BY {key} LIMIT 1
                ) AS next
                WHERE {scope} ($2::text IS NULL OR groups.status = $2::delivery_status)
            ), wanted AS (
                SELECT * FROM groups
                WHERE {scope} ($2::text IS NULL OR status = $2::delivery_status)
                  AND ($3::smallint IS NULL OR last_answer BETWEEN $3 AND $4)
                  AND ($5::text IS NULL OR environment = $5::environment)
                  AND ($6::text IS NULL OR event_type = $6::event_type)
            )"
        )
    }

    /// What a row must be, of a group called `wanted` if there are groups.
    fn rows(&self) -> &'static str {
        match (self.way, self.by_webhook()) {
            (Way::Groups, true) => {
                "webhook_id = wanted.webhook_id AND status = wanted.status
                 AND last_answer = wanted.last_answer AND environment = wanted.environment
                 AND event_type = wanted.event_type AND id >= $7 AND id < $8"
            }
            (Way::Groups, false) => {
                "status = wanted.status AND last_answer = wanted.last_answer
                 AND environment = wanted.environment AND event_type = wanted.event_type
                 AND id >= $7 AND id < $8 AND ($1::uuid[] IS NULL OR webhook_id = ANY($1))"
            }
            (Way::Event, _) => {
                "event_id = $9 AND ($1::uuid[] IS NULL OR webhook_id = ANY($1))
                 AND ($2::text IS NULL OR status = $2::delivery_status)
                 AND ($3::smallint IS NULL OR last_answer BETWEEN $3 AND $4)
                 AND ($5::text IS NULL OR environment = $5::environment)
                 AND ($6::text IS NULL OR event_type = $6::event_type)
                 AND id >= $7 AND id < $8"
            }
            (Way::All, _) => "id >= $7 AND id < $8",
        }
    }

    fn bind(&self, text: &str) -> BoxedSqlQuery<'static, Pg, diesel::query_builder::SqlQuery> {
        let filter = self.filter;
        let from = filter.since.map_or(Uuid::nil(), least_id_at);
        let before = filter.until.map_or(Uuid::max(), least_id_at);
        diesel::sql_query(text)
            .into_boxed()
            .bind::<Nullable<Array<SqlUuid>>, _>(self.webhooks.clone())
            .bind::<Nullable<Text>, _>(filter.status.map(|s| s.status().as_str()))
            .bind::<Nullable<SmallInt>, _>(self.answers.map(|range| range.first))
            .bind::<Nullable<SmallInt>, _>(self.answers.map(|range| range.last))
            .bind::<Nullable<Text>, _>(filter.environment.map(Environment::as_str))
            .bind::<Nullable<Text>, _>(filter.event_type.map(EventType::as_str))
            .bind::<SqlUuid, _>(from)
            .bind::<SqlUuid, _>(before)
            .bind::<Nullable<SqlUuid>, _>(filter.event_id.map(|id| id.0))
    }
}
