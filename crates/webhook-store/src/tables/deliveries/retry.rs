//! Deliveries retried at an admin's request, and the requests: table `resends`, the manual retries.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryId, DeliveryStatus, JobId, OrderingKey, WebhookId};

use crate::StoreError;
use crate::column_types::{Id, Named, bind};
use crate::dispatch::ordering::Turns;
use crate::schema::resends;
use crate::sql::{Columns, row, sql};

/// Deliveries to be retried.
#[derive(Debug)]
pub struct RetryRequest<'a> {
    /// The deliveries, each with the status seen by the caller. A delivery whose status has changed since
    /// is left alone.
    pub deliveries: &'a [(DeliveryId, DeliveryStatus)],
    /// The name of the admin.
    pub actor_name: &'a str,
    /// The job that retries the deliveries; `None`: a single retry.
    pub job_id: Option<JobId>,
}

/// The result of a request for retries.
#[derive(Debug, Default)]
pub struct DueDeliveries {
    /// The deliveries that became due.
    pub ids: Vec<DeliveryId>,
    /// The ordering keys of the deliveries.
    pub turns: Turns,
}

row! {
    struct DueRow {
        id: DeliveryId as Id<DeliveryId>,
        webhook_id: WebhookId as Id<WebhookId>,
        ordering_key: Option<OrderingKey> as Nullable<Id<OrderingKey>>,
    }
}

sql! {
    struct Retry<'a> from "retry.sql" -> Columns<DueRow> {
        1 ids: Vec<DeliveryId> as Array<Id<DeliveryId>>,
        2 statuses: Vec<DeliveryStatus> as Array<Named<DeliveryStatus>>,
        3 actor_name: &'a str as Text,
        4 job_id: Option<JobId> as Nullable<Id<JobId>>,
    }
}

/// Makes deliveries due, pending or ended, and notes the request. Unsendable deliveries are left alone.
pub async fn make_due(
    connection: &mut AsyncPgConnection,
    request: &RetryRequest<'_>,
) -> Result<DueDeliveries, StoreError> {
    let (ids, statuses) = request.deliveries.iter().copied().unzip();
    let statement = Retry {
        ids,
        statuses,
        actor_name: request.actor_name,
        job_id: request.job_id,
    };
    let rows: Vec<DueRow> = statement.load(connection).await?;
    let mut due = DueDeliveries::default();
    for row in rows {
        due.ids.push(row.id);
        due.turns.add(row.webhook_id, row.ordering_key);
    }
    Ok(due)
}

/// A request of an admin to retry a delivery.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = resends, check_for_backend(Pg))]
pub struct ManualRetryRow {
    /// The time of the request.
    pub requested_at: DateTime<Utc>,
    /// The number of attempts at the time of the request.
    pub after_attempt: i32,
    /// The status of the delivery at the time of the request, or `missed`: a replay created the delivery.
    pub status_before: String,
    /// The name of the admin.
    pub actor_name: String,
    /// The job that retried the delivery; `None`: a single retry.
    pub job_id: Option<JobId>,
}

/// Lists the requests to retry a delivery, in order.
pub async fn list_manual_retries(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Vec<ManualRetryRow>, StoreError> {
    let resends = resends::table
        .filter(resends::delivery_id.eq(bind(id)))
        .order(resends::requested_at)
        .select(ManualRetryRow::as_select());
    Ok(resends.load(connection).await?)
}
