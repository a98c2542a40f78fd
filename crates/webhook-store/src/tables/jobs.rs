//! Table `jobs`: many deliveries made due, step by step.
//!
//! A step is one transaction: deliveries made due, counts, and the place of the job. A crash repeats no
//! delivery, and the counts of a cancelled job are exact.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;
use webhook_domain::{JobId, JobKind, JobRate, JobStatus};

use crate::StoreError;
use crate::column_types::bind;
use crate::error::unreadable;
use crate::schema::jobs;
use crate::tables::audit::Actor;

mod scope;

pub use scope::{JobScope, Replay};

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// The job's id, a UUID v7: ids sort in the order of creation.
    pub id: JobId,
    /// The kind of job.
    pub kind: JobKind,
    /// The status.
    pub status: JobStatus,
    /// The deliveries or events of the job.
    pub scope: JobScope,
    /// The most deliveries per second.
    pub rate: JobRate,
    /// The number of deliveries or events to look at, counted when the job was created.
    pub total: i64,
    /// The number of deliveries made due.
    pub done: i64,
    /// The number left alone: not sendable any more, or under way already.
    pub skipped: i64,
    /// The name of the admin.
    pub actor_name: String,
    /// The time of creation.
    pub created_at: DateTime<Utc>,
    /// The time of the end.
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(Pg))]
struct Row {
    id: JobId,
    kind: JobKind,
    status: JobStatus,
    selection: Value,
    rate: i32,
    total: i64,
    done: i64,
    skipped: i64,
    position: Option<Value>,
    actor_name: String,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl Row {
    fn read(self) -> Result<Job, StoreError> {
        Ok(Job {
            id: self.id,
            kind: self.kind,
            status: self.status,
            scope: JobScope::read(self.kind, &self.selection)?,
            rate: JobRate::new(u64::from(self.rate.unsigned_abs())).map_err(unreadable)?,
            total: self.total,
            done: self.done,
            skipped: self.skipped,
            actor_name: self.actor_name,
            created_at: self.created_at,
            ended_at: self.ended_at,
        })
    }
}

/// Creates a job, for the dispatchers to take steps of.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    actor: &Actor,
    scope: &JobScope,
    rate: JobRate,
    total: i64,
) -> Result<Job, StoreError> {
    let row: Row = diesel::insert_into(jobs::table)
        .values((
            jobs::id.eq(bind(JobId(Uuid::now_v7()))),
            jobs::kind.eq(bind(scope.kind())),
            jobs::webhook_id.eq(scope.webhook_id()),
            jobs::selection.eq(scope.write()),
            jobs::rate.eq(i32::from(rate.get())),
            jobs::total.eq(total),
            jobs::actor_id.eq(actor.key_id),
            jobs::actor_name.eq(&actor.name),
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await?;
    row.read()
}

/// Finds a job.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: JobId,
) -> Result<Option<Job>, StoreError> {
    let found = jobs::table.find(bind(id)).select(Row::as_select());
    let row: Option<Row> = found.first(connection).await.optional()?;
    row.map(Row::read).transpose()
}

/// Lists jobs, newest first.
pub async fn list(
    connection: &mut AsyncPgConnection,
    status: Option<JobStatus>,
    after: Option<JobId>,
    limit: i64,
) -> Result<Vec<Job>, StoreError> {
    let mut query = jobs::table.select(Row::as_select()).into_boxed();
    if let Some(status) = status {
        query = query.filter(jobs::status.eq(bind(status)));
    }
    if let Some(after) = after {
        query = query.filter(jobs::id.lt(bind(after)));
    }
    let rows: Vec<Row> = query
        .order(jobs::id.desc())
        .limit(limit)
        .load(connection)
        .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Cancels a running job, after the current step. `None`: the job is not running.
pub async fn cancel(
    connection: &mut AsyncPgConnection,
    id: JobId,
) -> Result<Option<Job>, StoreError> {
    // Waits for a running step, which holds the lock of the row.
    let running = jobs::table
        .find(bind(id))
        .filter(jobs::status.eq(bind(JobStatus::Running)));
    let row: Option<Row> = diesel::update(running)
        .set((
            jobs::status.eq(bind(JobStatus::Cancelled)),
            jobs::ended_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    row.map(Row::read).transpose()
}

/// Locks a running job until the transaction ends. Returns the job and the place of the last step.
/// `None`: the job is not running.
pub(crate) async fn lock_running(
    connection: &mut AsyncPgConnection,
    id: JobId,
) -> Result<Option<(Job, Option<Value>)>, StoreError> {
    let running = jobs::table
        .find(bind(id))
        .filter(jobs::status.eq(bind(JobStatus::Running)))
        .for_update()
        .select(Row::as_select());
    let row: Option<Row> = running.first(connection).await.optional()?;
    let Some(mut row) = row else {
        return Ok(None);
    };
    // The position is of no use to the API, so a job has none.
    let position = row.position.take();
    Ok(Some((row.read()?, position)))
}

/// Adds the counts of a step to a job: deliveries made due, and deliveries left alone.
pub(crate) async fn count_step(
    connection: &mut AsyncPgConnection,
    id: JobId,
    done: usize,
    skipped: usize,
) -> Result<(), StoreError> {
    let count = |number| i64::try_from(number).unwrap_or(i64::MAX);
    diesel::update(jobs::table.find(bind(id)))
        .set((
            jobs::done.eq(jobs::done + count(done)),
            jobs::skipped.eq(jobs::skipped + count(skipped)),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Finishes a job.
pub(crate) async fn finish(
    connection: &mut AsyncPgConnection,
    id: JobId,
) -> Result<(), StoreError> {
    diesel::update(jobs::table.find(bind(id)))
        .set((
            jobs::status.eq(bind(JobStatus::Finished)),
            jobs::ended_at.eq(now),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes the place of a job, and the pause before the next step.
pub(crate) async fn save_position(
    connection: &mut AsyncPgConnection,
    id: JobId,
    position: &Value,
    pause: Duration,
) -> Result<(), StoreError> {
    let millis = i32::try_from(pause.as_millis()).unwrap_or(i32::MAX);
    diesel::update(jobs::table.find(bind(id)))
        .set((
            jobs::position.eq(position),
            jobs::next_step_at.eq(now.into_sql::<Timestamptz>() + millis.milliseconds()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
