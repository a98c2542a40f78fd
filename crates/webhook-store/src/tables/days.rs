//! Table `webhook_days`: each webhook's last 24 hours, summed up every few seconds by a dispatcher, so that
//! lists of 10,000 webhooks can be sorted by them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Timestamptz, Untyped};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Durations, WebhookId};

use crate::column_types::{Id, bind_all};
use crate::schema::{webhook_days, webhook_hours};
use crate::sql::sql;
use crate::tables::activity::last_day;
use crate::{StoreError, transaction};

/// The share of attempts that ended within `p95_ms`.
const P95: f64 = 0.95;

/// A webhook's last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Queryable, Selectable)]
#[diesel(table_name = webhook_days, check_for_backend(Pg))]
pub struct Day {
    /// Attempts.
    pub attempts: i64,
    /// Attempts that failed.
    pub failed_attempts: i64,
    /// The share of failed attempts, 0 to 1.
    pub failure_rate: f64,
    /// The time within which 95 % of the attempts ended, in milliseconds.
    pub p95_ms: Option<i32>,
}

sql! {
    /// Whether the transaction may sum up: one worker at a time does.
    struct Lock from "days/lock.sql" -> Bool {}
}

sql! {
    struct ListDue from "days/list_due.sql" -> Id<WebhookId> {
        1 since: DateTime<Utc> as Timestamptz,
        2 limit: i64 as BigInt,
    }
}

sql! {
    #[derive(Default)]
    struct Write from "days/write.sql" -> Untyped {
        1 since: DateTime<Utc> as Timestamptz,
        2 webhook_ids: Vec<WebhookId> as Array<Id<WebhookId>>,
        3 attempts: Vec<i64> as Array<BigInt>,
        4 failed_attempts: Vec<i64> as Array<BigInt>,
        5 p95_ms: Vec<Option<i32>> as Array<Nullable<Integer>>,
    }
}

/// Sums up the days of up to `limit` webhooks whose sums are out of date. Returns the number of them; 0 also
/// while another worker sums up.
pub async fn sum_up(
    connection: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    let since = last_day(now);
    transaction(connection, async |connection: &mut AsyncPgConnection| {
        let locked: bool = Lock {}.get_result(connection).await?;
        if !locked {
            return Ok(0);
        }
        let due: Vec<WebhookId> = ListDue { since, limit }.load(connection).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let sums = sum(connection, &due, since).await?;
        Write::of(since, &due, &sums).execute(connection).await?;
        Ok(due.len())
    })
    .await
}

/// The sums of a webhook's hours.
#[derive(Default)]
struct Sums {
    attempts: i64,
    failed_attempts: i64,
    durations: Durations,
}

async fn sum(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
    since: DateTime<Utc>,
) -> Result<HashMap<WebhookId, Sums>, StoreError> {
    use webhook_hours::dsl;
    let hours: Vec<(WebhookId, i32, i32, Vec<i32>)> = dsl::webhook_hours
        .filter(dsl::webhook_id.eq_any(bind_all(ids)))
        .filter(dsl::hour.ge(since))
        .select((
            dsl::webhook_id,
            dsl::attempts,
            dsl::failed_attempts,
            dsl::durations,
        ))
        .load(connection)
        .await?;
    let mut sums: HashMap<WebhookId, Sums> = HashMap::with_capacity(ids.len());
    for (id, attempts, failed_attempts, durations) in hours {
        let sum = sums.entry(id).or_default();
        sum.attempts += i64::from(attempts);
        sum.failed_attempts += i64::from(failed_attempts);
        let durations = durations.into_iter();
        sum.durations
            .add(durations.map(|count| u64::from(count.unsigned_abs())));
    }
    Ok(sums)
}

impl Write {
    fn of(since: DateTime<Utc>, ids: &[WebhookId], sums: &HashMap<WebhookId, Sums>) -> Self {
        let mut write = Self {
            since,
            ..Self::default()
        };
        for id in ids {
            let sum = sums.get(id);
            let p95 = sum.and_then(|sum| sum.durations.percentile(P95));
            write.webhook_ids.push(*id);
            write.attempts.push(sum.map_or(0, |sum| sum.attempts));
            let failed = sum.map_or(0, |sum| sum.failed_attempts);
            write.failed_attempts.push(failed);
            write.p95_ms.push(p95.and_then(|p95| p95.try_into().ok()));
        }
        write
    }
}
