//! Table `url_checks`: URLs that the API wants looked at, and what dispatchers found out.

use chrono::{DateTime, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{UrlReport, WebhookId};

use crate::StoreError;
use crate::error::unreadable;
use crate::schema::url_checks;
use crate::statement::statement;

/// For how long a check is kept, in hours.
const KEPT_HOURS: i32 = 1;

/// How many old checks are deleted with each new one at most.
const SWEPT: i64 = 100;

/// A URL to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUrlCheck {
    /// The check's id.
    pub id: Uuid,
    /// As the webhook has it.
    pub url: String,
}

/// Asks the dispatchers to look at a webhook's URL, and forgets some checks that are old. Tells
/// the check's id.
pub async fn request(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    url: &str,
) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    diesel::insert_into(url_checks::table)
        .values((
            url_checks::id.eq(id),
            url_checks::webhook_id.eq(webhook_id.0),
            url_checks::url.eq(url),
        ))
        .execute(connection)
        .await?;
    let an_hour_ago = now.into_sql::<Timestamptz>() - KEPT_HOURS.hours();
    let old: Vec<Uuid> = url_checks::table
        .filter(url_checks::requested_at.lt(an_hour_ago))
        .order(url_checks::requested_at)
        .limit(SWEPT)
        .select(url_checks::id)
        .load(connection)
        .await?;
    diesel::delete(url_checks::table.filter(url_checks::id.eq_any(old)))
        .execute(connection)
        .await?;
    Ok(id)
}

statement! {
    /// After a minute nobody waits for the answer any more.
    TakeOpen<'a> -> (SqlUuid, Text) {
        "UPDATE url_checks SET take_at = ", lease_until: &'a DateTime<Utc> => Timestamptz,
        " WHERE id = ANY(ARRAY(
            SELECT id FROM url_checks
            WHERE done_at IS NULL AND take_at <= now()
              AND requested_at > now() - interval '1 minute'
            ORDER BY take_at LIMIT ", limit: i64 => BigInt,
        " FOR UPDATE SKIP LOCKED))
        RETURNING id, url"
    }
}

/// Takes checks that are open, which come again after `lease_until` unless they are
/// [finished](finish).
pub async fn take_open(
    connection: &mut AsyncPgConnection,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<OpenUrlCheck>, StoreError> {
    let lease_until = &lease_until;
    let taken: Vec<(Uuid, String)> = TakeOpen { lease_until, limit }.load(connection).await?;
    let taken = taken.into_iter().map(|(id, url)| OpenUrlCheck { id, url });
    Ok(taken.collect())
}

/// Writes down what was found out.
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

/// Finds what a check found out. `None`: no dispatcher is done with it yet, or it is forgotten.
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
