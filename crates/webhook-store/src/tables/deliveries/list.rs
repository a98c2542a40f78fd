//! Deliveries filtered, in pages.
//!
//! The cost of a page does not grow with the number of deliveries. All deliveries with one status, last
//! answer, environment and type are a *group*, and the two indexes of lists hold each group in the
//! order of ids. A list hops from group to group, selects the matching groups, finds the first row of
//! each, and merges a page out of the foremost groups.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{
    DeliveryId, Environment, EventId, EventType, LastResponse, ResponseRange, StatusFilter,
    WebhookId,
};

use super::row::DeliveryRow;
use crate::StoreError;
use crate::column_types::{Id, bind};
use crate::ids::least_id_at;
use crate::schema::{deliveries, webhooks};
use crate::tables::webhooks::ids_named_like;

/// The most webhooks to hop over webhook by webhook. Deliveries of more webhooks are likely to be near
/// the start of the list of all deliveries, so beyond this number the list of all is filtered.
const MAX_WEBHOOKS_HOPPED_OVER: usize = 100;

/// Selects deliveries.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Only deliveries to the webhook.
    pub webhook_id: Option<WebhookId>,
    /// Only deliveries to webhooks with the text in their name, in any case.
    pub search: Option<String>,
    /// Only deliveries of the event.
    pub event_id: Option<EventId>,
    /// Only deliveries of the event type.
    pub event_type: Option<EventType>,
    /// Only deliveries of the environment.
    pub environment: Option<Environment>,
    /// Only deliveries with the status.
    pub status: Option<StatusFilter>,
    /// Only deliveries with a result of the latest attempt in the range.
    pub response: Option<ResponseRange>,
    /// Only deliveries created at the time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only deliveries created before the time.
    pub until: Option<DateTime<Utc>>,
}

/// The order of a list of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// A page of a list.
#[derive(Debug, Clone, Copy)]
pub struct PageStart {
    /// The order of the list.
    pub order: Order,
    /// The last delivery of the page before; `None`: the first page.
    pub after: Option<DeliveryId>,
    /// The most deliveries of a page.
    pub limit: i64,
}

/// Lists a page of deliveries.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &DeliveryFilter,
    place: &PageStart,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let Some(scope) = Scope::of(connection, filter).await? else {
        return Ok(Vec::new());
    };
    // Ids first, out of an index alone, then the rows of one page.
    let ids = scope.list_ids(connection, place).await?;
    let page = deliveries::table
        .inner_join(webhooks::table)
        .filter(deliveries::id.eq_any(ids.into_iter().map(bind)))
        .select(DeliveryRow::as_select())
        .into_boxed();
    let page = match place.order {
        Order::Newest => page.order(deliveries::id.desc()),
        Order::Oldest => page.order(deliveries::id.asc()),
    };
    Ok(page.load(connection).await?)
}

/// Counts the deliveries on all pages of a list. Reads as many entries of an index.
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
    let text = match scope.way {
        Way::GroupsOfWebhooks => include_str!("count_by_webhook.sql"),
        Way::Groups => include_str!("count_by_group.sql"),
        Way::Rows => {
            let rows = scope.rows().select(diesel::dsl::count_star());
            return Ok(rows.first(connection).await?);
        }
    };
    let counted: Counted = scope.bind(text).get_result(connection).await?;
    Ok(counted.count)
}

/// A filter, prepared for the statements.
struct Scope<'a> {
    filter: &'a DeliveryFilter,
    /// Only deliveries to the webhooks.
    webhooks: Option<Vec<WebhookId>>,
    /// Only deliveries with a latest response in the range.
    responses: Option<ResponseRange>,
    way: Way,
}

/// The way to read a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The groups of some webhooks, one webhook after the other.
    GroupsOfWebhooks,
    /// The groups of all webhooks.
    Groups,
    /// The rows themselves: the few deliveries of one event, or all deliveries in the order of time.
    Rows,
}

impl Way {
    fn of(filter: &DeliveryFilter, webhooks: Option<&[WebhookId]>) -> Self {
        let few = |ids: &[WebhookId]| ids.len() <= MAX_WEBHOOKS_HOPPED_OVER;
        let grouped = webhooks.is_some()
            || filter.response.is_some()
            || filter.status.is_some()
            || filter.environment.is_some()
            || filter.event_type.is_some();
        match filter.event_id {
            None if webhooks.is_some_and(few) => Self::GroupsOfWebhooks,
            None if grouped => Self::Groups,
            Some(_) | None => Self::Rows,
        }
    }
}

/// The latest responses of a filter. `None`: any.
fn responses(filter: &DeliveryFilter) -> Option<ResponseRange> {
    if filter.status != Some(StatusFilter::Retrying) {
        return filter.response;
    }
    // A retrying delivery is a pending one with an attempt. The latest response is 0 until the first
    // attempt, and greater afterwards.
    let attempted = ResponseRange {
        first: 1,
        last: i16::MAX,
    };
    let asked = filter.response.unwrap_or(attempted);
    Some(ResponseRange {
        first: asked.first.max(attempted.first),
        ..asked
    })
}

type Rows<'a> = deliveries::BoxedQuery<'a, Pg>;

impl<'a> Scope<'a> {
    /// `None`: no delivery can match the filter.
    async fn of(
        connection: &mut AsyncPgConnection,
        filter: &'a DeliveryFilter,
    ) -> Result<Option<Self>, StoreError> {
        let mut webhooks = filter.webhook_id.map(|id| vec![id]);
        if let Some(search) = &filter.search {
            let mut named = ids_named_like(connection, search).await?;
            if let Some(only) = &webhooks {
                named.retain(|id| only.contains(id));
            }
            webhooks = Some(named);
        }
        let responses = responses(filter);
        let nobody = webhooks.as_ref().is_some_and(Vec::is_empty);
        if nobody || responses.is_some_and(|range| range.first > range.last) {
            return Ok(None);
        }
        Ok(Some(Self {
            way: Way::of(filter, webhooks.as_deref()),
            filter,
            webhooks,
            responses,
        }))
    }

    /// Lists the ids of a page, in any order.
    async fn list_ids(
        &self,
        connection: &mut AsyncPgConnection,
        place: &PageStart,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Id<DeliveryId>)]
            id: DeliveryId,
        }
        let text = match self.way {
            Way::GroupsOfWebhooks => include_str!("list_by_webhook.sql"),
            Way::Groups => include_str!("list_by_group.sql"),
            Way::Rows => return self.list_row_ids(connection, place).await,
        };
        // The files list newest first.
        let text = match place.order {
            Order::Newest => text.to_owned(),
            Order::Oldest => text.replace(" DESC", " ASC").replace("id < $9", "id > $9"),
        };
        let query = self
            .bind(&text)
            .bind::<Nullable<Id<DeliveryId>>, _>(place.after)
            .bind::<BigInt, _>(place.limit);
        let rows: Vec<Row> = query.load(connection).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    async fn list_row_ids(
        &self,
        connection: &mut AsyncPgConnection,
        place: &PageStart,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let mut rows = self.rows();
        rows = match (place.order, place.after) {
            (Order::Newest, Some(after)) => rows.filter(deliveries::id.lt(bind(after))),
            (Order::Oldest, Some(after)) => rows.filter(deliveries::id.gt(bind(after))),
            (Order::Newest | Order::Oldest, None) => rows,
        };
        rows = match place.order {
            Order::Newest => rows.order(deliveries::id.desc()),
            Order::Oldest => rows.order(deliveries::id.asc()),
        };
        let ids = rows.select(deliveries::id).limit(place.limit);
        Ok(ids.load(connection).await?)
    }

    /// The span of time as a span of ids, which begin with the time.
    fn bounds(&self) -> (DeliveryId, DeliveryId) {
        let from = self.filter.since.map_or(Uuid::nil(), least_id_at);
        let before = self.filter.until.map_or(Uuid::max(), least_id_at);
        (DeliveryId(from), DeliveryId(before))
    }

    /// The rows of [`Way::Rows`].
    fn rows(&self) -> Rows<'a> {
        let filter = self.filter;
        let (from, before) = self.bounds();
        let mut rows = deliveries::table
            .filter(deliveries::id.ge(bind(from)))
            .filter(deliveries::id.lt(bind(before)))
            .into_boxed();
        if let Some(event_id) = filter.event_id {
            rows = rows.filter(deliveries::event_id.eq(bind(event_id)));
        }
        if let Some(ids) = self.webhooks.clone() {
            rows = rows.filter(deliveries::webhook_id.eq_any(ids.into_iter().map(bind)));
        }
        if let Some(status) = filter.status {
            rows = rows.filter(deliveries::status.eq(bind(status.status())));
        }
        if let Some(range) = self.responses {
            let [first, last] = [range.first, range.last].map(LastResponse::from_code);
            rows = rows.filter(deliveries::last_answer.between(bind(first), bind(last)));
        }
        if let Some(environment) = filter.environment {
            rows = rows.filter(deliveries::environment.eq(bind(environment)));
        }
        if let Some(event_type) = filter.event_type {
            rows = rows.filter(deliveries::event_type.eq(bind(event_type)));
        }
        rows
    }

    /// Binds the first eight values of a statement over groups.
    fn bind(&self, text: &str) -> BoxedSqlQuery<'static, Pg, SqlQuery> {
        let filter = self.filter;
        let (from, before) = self.bounds();
        diesel::sql_query(text)
            .into_boxed()
            .bind::<Nullable<Array<Id<WebhookId>>>, _>(self.webhooks.clone())
            .bind::<Nullable<Text>, _>(filter.status.map(|s| s.status().as_str()))
            .bind::<Nullable<SmallInt>, _>(self.responses.map(|range| range.first))
            .bind::<Nullable<SmallInt>, _>(self.responses.map(|range| range.last))
            .bind::<Nullable<Text>, _>(filter.environment.map(Environment::as_str))
            .bind::<Nullable<Text>, _>(filter.event_type.map(EventType::as_str))
            .bind::<Id<DeliveryId>, _>(from)
            .bind::<Id<DeliveryId>, _>(before)
    }
}
