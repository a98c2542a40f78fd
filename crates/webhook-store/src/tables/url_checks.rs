//! Table `url_checks`: checks of URLs requested by the API, and the reports of dispatchers.

use chrono::{DateTime, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{UrlReport, WebhookId};

use crate::StoreError;
use crate::column_types::bind;
use crate::error::unreadable;
use crate::schema::url_checks;
use crate::sql::{Selected, sql};

/// How long a check is kept, in hours.
const KEPT_HOURS: i32 = 1;

/// The most old checks deleted with each new check: enough to keep up, and quick.
const OLD_DELETED_AT_ONCE: i64 = 100;

/// Asks the dispatchers to look at a webhook's URL, and deletes some old checks. Returns the id of
/// the check.
pub async fn request(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    url: &str,
) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    diesel::insert_into(url_checks::table)
        .values((
            url_checks::id.eq(id),
            url_checks::webhook_id.eq(bind(webhook_id)),
            url_checks::url.eq(url),
        ))
        .execute(connection)
        .await?;
    let too_old = now.into_sql::<Timestamptz>() - KEPT_HOURS.hours();
    // Old checks are deleted here, as no sweep goes through this table.
    let old: Vec<Uuid> = url_checks::table
        .filter(url_checks::requested_at.lt(too_old))
        .order(url_checks::requested_at)
        .limit(OLD_DELETED_AT_ONCE)
        .select(url_checks::id)
        .load(connection)
        .await?;
    diesel::delete(url_checks::table.filter(url_checks::id.eq_any(old)))
        .execute(connection)
        .await?;
    Ok(id)
}

/// A URL to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = url_checks, check_for_backend(diesel::pg::Pg))]
pub struct OpenUrlCheck {
    /// The id of the check.
    pub id: Uuid,
    /// The webhook's target URL.
    pub url: String,
}

sql! {
    struct TakeOpen from "url_checks/take_open.sql" -> Selected<OpenUrlCheck> {
        1 lease_until: DateTime<Utc> as Timestamptz,
        2 limit: i64 as BigInt,
    }
}

/// Leases up to `limit` open checks of the last minute. Unless [finished](finish), a check may be leased
/// again after `lease_until`.
pub async fn take_open(
    connection: &mut AsyncPgConnection,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<OpenUrlCheck>, StoreError> {
    Ok(TakeOpen { lease_until, limit }.load(connection).await?)
}

/// Writes the report of a check.
pub async fn finish(
    connection: &mut AsyncPgConnection,
    id: Uuid,
    report: &UrlReport,
) -> Result<(), StoreError> {
    let result = serde_json::to_value(report).map_err(unreadable)?;
    diesel::update(url_checks::table.find(id))
        .set((
            url_checks::done_at.eq(now.into_sql::<Timestamptz>().nullable()),
            url_checks::result.eq(result),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Finds the report of a check. `None`: no dispatcher is done yet, or the check was deleted as old.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: Uuid,
) -> Result<Option<UrlReport>, StoreError> {
    let result: Option<Option<serde_json::Value>> = url_checks::table
        .find(id)
        .select(url_checks::result)
        .first(connection)
        .await
        .optional()?;
    let report = result.flatten().map(serde_json::from_value);
    report.transpose().map_err(unreadable)
}
