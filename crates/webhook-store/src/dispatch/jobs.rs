//! Table `jobs`: many deliveries made due, step by step.
//!
//! A step is one transaction: what it makes due, how many these are, and where it got to. So a
//! crash repeats nothing, and a job that is cancelled tells exactly what it did.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::{Double, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;
use webhook_domain::{JobId, JobKind, JobRate, JobStatus, WebhookId};

use crate::audit::Actor;
use crate::column_types::bind;
use crate::error::unreadable;
use crate::ordering::Turns;
use crate::schema::jobs;
use crate::statement::statement;
use crate::{StoreError, transaction};

mod replay;
mod retry;
mod selection;

pub use replay::Replay;
pub use selection::Selection;

/// When a step is taken again that failed, or whose worker was killed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id; ids tell the order.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Where it stands.
    pub status: JobStatus,
    /// What it is about.
    pub selection: Selection,
    /// How many per second.
    pub rate: JobRate,
    /// How many there were to do when it was made.
    pub total: i64,
    /// How many it made due.
    pub done: i64,
    /// How many it left alone, as they could not be sent any more, or were on their way already.
    pub skipped: i64,
    /// Who asked for it, by name.
    pub actor_name: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(diesel::pg::Pg))]
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
            selection: Selection::read(self.kind, &self.selection)?,
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

/// Starts a job; the dispatchers do it.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    actor: &Actor,
    selection: &Selection,
    rate: JobRate,
    total: i64,
) -> Result<Job, StoreError> {
    let row: Row = diesel::insert_into(jobs::table)
        .values((
            jobs::id.eq(bind(JobId(Uuid::now_v7()))),
            jobs::kind.eq(bind(selection.kind())),
            jobs::webhook_id.eq(selection.webhook_id()),
            jobs::selection.eq(selection.write()),
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

/// Stops a running job, once its running step is done. `None`: it is not running.
pub async fn cancel(
    connection: &mut AsyncPgConnection,
    id: JobId,
) -> Result<Option<Job>, StoreError> {
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

/// What a step of a job did.
struct Step {
    /// How many deliveries it made due.
    done: usize,
    /// How many it looked at and left alone.
    skipped: usize,
    /// Where it got to; `None`: to the end.
    position: Option<Value>,
    turns: Turns,
}

statement! {
    TakeTurn<'a> -> SqlUuid {
        "UPDATE jobs SET next_step_at = now() + make_interval(secs => ",
            seconds: &'a f64 => Double,
        ") WHERE id = (
            SELECT id FROM jobs WHERE status = 'running' AND next_step_at <= now()
            ORDER BY next_step_at LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING id"
    }
}

/// Takes one step of the job that is due first, of those that no other worker is at, and commits it.
/// `None`: no job is due.
///
/// A step that fails is taken again after [`PAUSE_AFTER_FAILURE`]; until then the others go on.
pub async fn take_step(connection: &mut AsyncPgConnection) -> Result<Option<Turns>, StoreError> {
    let seconds = &PAUSE_AFTER_FAILURE.as_secs_f64();
    let turn = TakeTurn { seconds }.get_result(connection).await;
    let Some(id): Option<Uuid> = turn.optional()? else {
        return Ok(None);
    };
    transaction(connection, async |connection| {
        let running = jobs::table
            .find(bind(JobId(id)))
            .filter(jobs::status.eq(bind(JobStatus::Running)))
            .for_update()
            .select(Row::as_select());
        let row: Option<Row> = running.first(connection).await.optional()?;
        let Some(mut row) = row else {
            return Ok(Some(Turns::default()));
        };
        let position = row.position.take();
        let job = row.read()?;
        let step = match &job.selection {
            Selection::Retry(filter) => retry::step(connection, &job, filter, position).await?,
            Selection::Replay(replay) => replay::step(connection, &job, replay, position).await?,
        };
        note(connection, &job, &step).await?;
        Ok(Some(step.turns))
    })
    .await
}

async fn note(
    connection: &mut AsyncPgConnection,
    job: &Job,
    step: &Step,
) -> Result<(), StoreError> {
    let count = |number| i64::try_from(number).unwrap_or(i64::MAX);
    let counted = (
        jobs::done.eq(jobs::done + count(step.done)),
        jobs::skipped.eq(jobs::skipped + count(step.skipped)),
    );
    let this = jobs::table.find(bind(job.id));
    let Some(position) = &step.position else {
        let finished = (
            jobs::status.eq(bind(JobStatus::Finished)),
            jobs::ended_at.eq(now),
        );
        diesel::update(this)
            .set((counted, finished))
            .execute(connection)
            .await?;
        return Ok(());
    };
    let pause: Duration = job.rate.pause_after(step.done);
    let millis = i32::try_from(pause.as_millis()).unwrap_or(i32::MAX);
    diesel::update(this)
        .set((
            counted,
            jobs::position.eq(position),
            jobs::next_step_at.eq(now.into_sql::<Timestamptz>() + millis.milliseconds()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// How old the selection of a job may get: it is made of what was there when it was made.
pub(crate) fn until_now(until: Option<DateTime<Utc>>) -> DateTime<Utc> {
    let at_hand = Utc::now() + TimeDelta::milliseconds(1);
    until.map_or(at_hand, |until| until.min(at_hand))
}
