//! Table `retention_sweep`: how far the removal of old rows has got.
//!
//! A sweep goes through the tables one after the other, from the oldest row of each table on, in steps
//! of one transaction each. A step begins behind the last row of the step before, so a sweep passes
//! over old but pending rows once.
//!
//! The row is the sweep lock: one worker at a time makes a step, and no worker makes a step before
//! `retention_sweep.next_step_at`, nine times the step's duration ahead. With any number of workers, the
//! sweep takes a tenth of one connection's time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::Retention;

use crate::ids::least_id_at;
use crate::schema::retention_sweep;
use crate::sql::sql;
use crate::tables::settings;
use crate::{StoreError, transaction};

/// The most rows of a step: some 30 ms of work.
const ROWS_PER_STEP: usize = 1_000;

/// The least pause after a step, for steps without rows to remove.
const MIN_PAUSE: Duration = Duration::from_millis(20);

/// The pause after a sweep. The next sweep removes rows that have grown old meanwhile.
const PAUSE_BETWEEN_SWEEPS: Duration = Duration::from_secs(600);

/// The least time that statistics are kept: the longest span of the portal's charts.
const MIN_STATISTICS_KEPT: Duration = Duration::from_secs(31 * 86_400);

/// A table with a time of retention.
struct Subject {
    table: &'static str,
    /// The time of retention.
    kept: fn(&Retention) -> Duration,
    /// Lists the next rows by time and id, for which [`SweepPosition`] stands. Some may be old.
    list_old: &'static str,
    /// Removes the old rows among the listed ones, except rows still in use. Returns the number.
    remove: &'static str,
}

macro_rules! subject {
    ($table:literal, $kept:expr) => {
        Subject {
            table: $table,
            kept: $kept,
            list_old: include_str!(concat!("retention/list_old/", $table, ".sql")),
            remove: include_str!(concat!("retention/remove/", $table, ".sql")),
        }
    };
}

/// The tables in the order of a sweep. Events come after their deliveries.
const SUBJECTS: [Subject; 10] = [
    subject!("deliveries", |kept| kept.deliveries),
    subject!("events", |kept| kept.events),
    subject!("audit_entries", |kept| kept.audit),
    subject!("exchanges", |kept| kept.transcripts),
    subject!("rejected_messages", |kept| kept.events),
    subject!("jobs", |kept| kept.deliveries),
    // Versions of webhooks explain events, so both are kept equally long.
    subject!("webhook_history", |kept| kept.events),
    // A row per worker and hour: as small as the audit log.
    subject!("total_hours", |kept| kept.audit.max(MIN_STATISTICS_KEPT)),
    // At most 63 rows per worker and hour, read for the overview's longest span only.
    subject!("environment_hours", |_| MIN_STATISTICS_KEPT),
    // Listed webhook by webhook: an index by time would cost every recorded attempt.
    subject!("webhook_hours", |kept| kept
        .deliveries
        .max(MIN_STATISTICS_KEPT)),
];

/// A step of the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The table.
    pub table: &'static str,
    /// The number of removed rows.
    pub removed: u64,
    /// The pause until the next step.
    pub pause: Duration,
}

/// Makes the next step. `None`: another worker holds the sweep lock, or the pause is not over.
pub async fn step(connection: &mut AsyncPgConnection) -> Result<Option<Step>, StoreError> {
    transaction(connection, async |connection: &mut AsyncPgConnection| {
        let Some(lock) = take_lock(connection).await? else {
            return Ok(None);
        };
        let kept = settings::find(connection).await?.settings.retention;
        // A later version sweeps more tables and may have written an unknown name: begin from the start.
        let known = |subject: &Subject| Some(subject.table) == lock.subject.as_deref();
        let position = SUBJECTS.iter().position(known).unwrap_or(0);
        let subject = &SUBJECTS[position];
        let before = lock.now - (subject.kept)(&kept);
        let listed = list_old(connection, subject, &lock, before).await?;
        let removed = remove(connection, subject, &listed, before).await?;
        let next = match listed.last() {
            Some(last) if listed.len() == ROWS_PER_STEP => Some((subject, *last)),
            Some(_) | None => SUBJECTS
                .get(position + 1)
                .map(|next| (next, SweepPosition::START)),
        };
        Ok(Some(Step {
            table: subject.table,
            removed,
            pause: move_on(connection, next).await?,
        }))
    })
    .await
}

/// Begins a new sweep at once.
pub async fn begin_anew(connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    diesel::update(retention_sweep::table)
        .set((
            retention_sweep::subject.eq(None::<&str>),
            retention_sweep::next_step_at.eq(now),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// The place of a row in the order of a sweep.
#[derive(Clone, Copy, QueryableByName)]
struct SweepPosition {
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl SweepPosition {
    /// Before every row.
    const START: Self = Self {
        at: DateTime::UNIX_EPOCH,
        id: Uuid::nil(),
    };
}

/// The row of the sweep, locked until the transaction ends.
#[derive(Queryable, Selectable)]
#[diesel(table_name = retention_sweep, check_for_backend(Pg))]
struct SweepLock {
    subject: Option<String>,
    after_at: DateTime<Utc>,
    after_id: Uuid,
    #[diesel(select_expression = now.into_sql::<Timestamptz>())]
    now: DateTime<Utc>,
}

impl SweepLock {
    fn after(&self) -> SweepPosition {
        if self.subject.is_none() {
            return SweepPosition::START;
        }
        SweepPosition {
            at: self.after_at,
            id: self.after_id,
        }
    }
}

async fn take_lock(connection: &mut AsyncPgConnection) -> Result<Option<SweepLock>, StoreError> {
    let lock = retention_sweep::table
        .filter(retention_sweep::next_step_at.le(now))
        .select(SweepLock::as_select())
        .for_update()
        .skip_locked();
    Ok(lock.first(connection).await.optional()?)
}

async fn list_old(
    connection: &mut AsyncPgConnection,
    subject: &Subject,
    lock: &SweepLock,
    before: DateTime<Utc>,
) -> Result<Vec<SweepPosition>, StoreError> {
    let after = lock.after();
    let rows = i64::try_from(ROWS_PER_STEP).unwrap_or(i64::MAX);
    let query = diesel::sql_query(subject.list_old)
        .bind::<Timestamptz, _>(after.at)
        .bind::<SqlUuid, _>(after.id)
        .bind::<Timestamptz, _>(before)
        .bind::<SqlUuid, _>(least_id_at(before))
        .bind::<BigInt, _>(rows);
    Ok(query.load(connection).await?)
}

async fn remove(
    connection: &mut AsyncPgConnection,
    subject: &Subject,
    listed: &[SweepPosition],
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    #[derive(QueryableByName)]
    struct Removed {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    if listed.is_empty() {
        return Ok(0);
    }
    let (times, ids): (Vec<_>, Vec<_>) = listed.iter().map(|row| (row.at, row.id)).unzip();
    let query = diesel::sql_query(subject.remove)
        .bind::<Array<Timestamptz>, _>(times)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Timestamptz, _>(before);
    let removed: Removed = query.get_result(connection).await?;
    Ok(removed.count.unsigned_abs())
}

sql! {
    struct MoveOn from "retention/move_on.sql" -> Double {
        1 subject: Option<&'static str> as Nullable<Text>,
        2 after_at: DateTime<Utc> as Timestamptz,
        3 after_id: Uuid as SqlUuid,
        4 min_pause: f64 as Double,
    }
}

/// Writes where the next step begins, and returns the pause until then. `None`: the sweep is over.
async fn move_on(
    connection: &mut AsyncPgConnection,
    next: Option<(&Subject, SweepPosition)>,
) -> Result<Duration, StoreError> {
    let (min_pause, after) = match next {
        Some((_, after)) => (MIN_PAUSE, after),
        None => (PAUSE_BETWEEN_SWEEPS, SweepPosition::START),
    };
    let statement = MoveOn {
        subject: next.map(|(subject, _)| subject.table),
        after_at: after.at,
        after_id: after.id,
        min_pause: min_pause.as_secs_f64(),
    };
    let pause: f64 = statement.get_result(connection).await?;
    Ok(Duration::from_secs_f64(pause.max(0.0)))
}
