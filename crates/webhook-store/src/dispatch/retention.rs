//! Table `retention_sweep`: how far the removal of what is old has got.
//!
//! A sweep goes through the tables one after the other, through each from its oldest row on, in
//! steps that are a transaction each. A step begins after the last row that the one before looked
//! at, so that it passes over what was removed, and over what is old but pending, once in a sweep.
//!
//! The row is the lock: one worker at a time makes a step, and none before
//! `retention_sweep.next_step_at`, which is nine times as far away as the step took. However many
//! workers there are, a tenth of one connection's time goes into it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::Retention;

use crate::ids::least_id_at;
use crate::schema::retention_sweep;
use crate::statement::statement;
use crate::{StoreError, settings, transaction};

/// The most rows that a step looks at.
const ROWS: usize = 1_000;

/// The pause after a step that took next to no time.
const LEAST_PAUSE: Duration = Duration::from_millis(20);

/// The pause after a sweep; what is old by then is removed by the next one.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(600);

/// What the pages show of statistics.
const A_MONTH: Duration = Duration::from_secs(31 * 86_400);

/// A table whose rows are removed when they are old.
struct Subject {
    table: &'static str,
    /// For how long its rows are kept.
    kept: fn(&Retention) -> Duration,
    /// The next rows that may be old, in order, each by a time and an id that tell its place:
    /// after the time `$1` and the id `$2`, before the time `$3` or the least id of that time
    /// `$4`, at most `$5`.
    look: &'static str,
    /// Removes those rows, times `$1` and ids `$2`, as far as they ended before the time `$3` and
    /// nobody needs them; counts how many.
    remove: &'static str,
}

/// In the order in which a sweep goes through them. An event comes after its deliveries.
const SUBJECTS: [Subject; 9] = [
    // What is retried at this moment is pending when the statement gets to it, and stays.
    Subject {
        table: "deliveries",
        kept: |kept| kept.deliveries,
        look: "SELECT created_at AS at, id FROM deliveries
            WHERE id > $2 AND id < $4 ORDER BY id LIMIT $5",
        remove: "WITH gone AS (
                DELETE FROM deliveries_ended
                WHERE id = ANY($2) AND ended_at < $3 RETURNING id
            ), attempts AS (
                DELETE FROM attempts WHERE delivery_id = ANY(ARRAY(SELECT id FROM gone))
            ), resends AS (
                DELETE FROM resends WHERE delivery_id = ANY(ARRAY(SELECT id FROM gone))
            )
            SELECT count(*) FROM gone",
    },
    // Events are locked first and their deliveries are looked at in a later statement. So who
    // makes a delivery pending and holds its event `FOR KEY SHARE` meanwhile finds it or is seen.
    Subject {
        table: "events",
        kept: |kept| kept.events,
        look: "SELECT received_at AS at, id FROM events
            WHERE received_at >= $1 AND (received_at, id) > ($1, $2) AND received_at < $3
            ORDER BY received_at, id LIMIT $5 FOR UPDATE SKIP LOCKED",
        remove: "WITH gone AS (
                DELETE FROM events WHERE id = ANY($2) AND id <> ALL(ARRAY(
                    SELECT event_id FROM deliveries_pending WHERE event_id = ANY($2)
                )) RETURNING id
            )
            SELECT count(*) FROM gone",
    },
    Subject {
        table: "audit_entries",
        kept: |kept| kept.audit,
        look: "SELECT at, id FROM audit_entries
            WHERE id > $2 AND id < $4 ORDER BY id LIMIT $5",
        remove: "WITH gone AS (DELETE FROM audit_entries WHERE id = ANY($2) RETURNING id)
            SELECT count(*) FROM gone",
    },
    Subject {
        table: "exchanges",
        kept: |kept| kept.bodies,
        look: "SELECT recorded_at AS at, id FROM exchanges
            WHERE id > $2 AND id < $4 ORDER BY id LIMIT $5",
        remove: "WITH gone AS (
                DELETE FROM exchanges WHERE id = ANY($2) AND recorded_at < $3 RETURNING id
            )
            SELECT count(*) FROM gone",
    },
    Subject {
        table: "rejected_messages",
        kept: |kept| kept.events,
        look: "SELECT rejected_at AS at, id FROM rejected_messages
            WHERE id > $2 AND id < $4 ORDER BY id LIMIT $5",
        remove: "WITH gone AS (
                DELETE FROM rejected_messages WHERE id = ANY($2) AND rejected_at < $3 RETURNING id
            )
            SELECT count(*) FROM gone",
    },
    Subject {
        table: "jobs",
        kept: |kept| kept.deliveries,
        look: "SELECT created_at AS at, id FROM jobs
            WHERE id > $2 AND id < $4 ORDER BY id LIMIT $5",
        remove: "WITH gone AS (
                DELETE FROM jobs WHERE id = ANY($2) AND ended_at < $3 RETURNING id
            )
            SELECT count(*) FROM gone",
    },
    // What webhooks were when an event was taken in that is not kept any more.
    Subject {
        table: "webhook_history",
        kept: |kept| kept.events,
        look: "SELECT old.valid_until AS at, webhooks.id FROM webhooks CROSS JOIN LATERAL (
                SELECT valid_until FROM webhook_history
                WHERE webhook_id = webhooks.id AND valid_until < $3
                  AND valid_until > CASE webhooks.id WHEN $2 THEN $1 ELSE to_timestamp(0) END
                ORDER BY valid_until LIMIT $5
            ) AS old
            WHERE webhooks.id >= $2 ORDER BY webhooks.id, old.valid_until LIMIT $5",
        remove: "WITH gone AS (
                DELETE FROM webhook_history
                WHERE (webhook_id, valid_until) IN (SELECT * FROM unnest($2, $1))
                RETURNING valid_until
            )
            SELECT count(*) FROM gone",
    },
    // A row per worker and hour: as small as the audit log.
    Subject {
        table: "total_hours",
        kept: |kept| kept.audit.max(A_MONTH),
        look: "SELECT hour AS at, worker_id AS id FROM total_hours
            WHERE (hour, worker_id) > ($1, $2) AND hour < $3
            ORDER BY hour, worker_id LIMIT $5",
        remove: "WITH gone AS (
                DELETE FROM total_hours
                WHERE (hour, worker_id) IN (SELECT * FROM unnest($1, $2)) RETURNING hour
            )
            SELECT count(*) FROM gone",
    },
    // From webhook to webhook, so that the counts need no index by time.
    Subject {
        table: "webhook_hours",
        kept: |kept| kept.deliveries.max(A_MONTH),
        look: "SELECT old.hour AS at, webhooks.id FROM webhooks CROSS JOIN LATERAL (
                SELECT hour FROM webhook_hours WHERE webhook_id = webhooks.id AND hour < $3
                  AND hour > CASE webhooks.id WHEN $2 THEN $1 ELSE to_timestamp(0) END
                ORDER BY hour LIMIT $5
            ) AS old
            WHERE webhooks.id >= $2 ORDER BY webhooks.id, old.hour LIMIT $5",
        remove: "WITH gone AS (
                DELETE FROM webhook_hours
                WHERE (webhook_id, hour) IN (SELECT * FROM unnest($2, $1)) RETURNING hour
            )
            SELECT count(*) FROM gone",
    },
];

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// In which table.
    pub table: &'static str,
    /// How many rows it removed.
    pub removed: u64,
    /// How long to leave everything alone now.
    pub pause: Duration,
}

/// Makes the next step. `None`: it is another worker's turn, or too early.
pub async fn step(connection: &mut AsyncPgConnection) -> Result<Option<Step>, StoreError> {
    transaction(connection, async |connection: &mut AsyncPgConnection| {
        let Some(turn) = take_turn(connection).await? else {
            return Ok(None);
        };
        let kept = settings::find(connection).await?.settings.retention;
        // A version that knows more tables may have been here before.
        let known = |subject: &Subject| Some(subject.table) == turn.subject.as_deref();
        let position = SUBJECTS.iter().position(known).unwrap_or(0);
        let subject = &SUBJECTS[position];
        let before = turn.now - (subject.kept)(&kept);
        let looked_at = look(connection, subject, &turn, before).await?;
        let removed = remove(connection, subject, &looked_at, before).await?;
        let next = match looked_at.last() {
            Some(last) if looked_at.len() == ROWS => Some((subject, *last)),
            Some(_) | None => SUBJECTS.get(position + 1).map(|next| (next, Place::START)),
        };
        Ok(Some(Step {
            table: subject.table,
            removed,
            pause: move_on(connection, next).await?,
        }))
    })
    .await
}

/// Begins a sweep at once, whatever the last one did.
pub(crate) async fn begin_anew(connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    diesel::update(retention_sweep::table)
        .set((
            retention_sweep::subject.eq(None::<&str>),
            retention_sweep::next_step_at.eq(now),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Where a row is in its table's order.
#[derive(Clone, Copy, QueryableByName)]
struct Place {
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl Place {
    /// Before every row.
    const START: Self = Self {
        at: DateTime::UNIX_EPOCH,
        id: Uuid::nil(),
    };
}

/// A step that is ours.
struct Turn {
    subject: Option<String>,
    after: Place,
    now: DateTime<Utc>,
}

type TurnRow = (Option<String>, DateTime<Utc>, Uuid, DateTime<Utc>);

async fn take_turn(connection: &mut AsyncPgConnection) -> Result<Option<Turn>, StoreError> {
    use retention_sweep::dsl;
    let row: Option<TurnRow> = dsl::retention_sweep
        .filter(dsl::next_step_at.le(now))
        .select((
            dsl::subject,
            dsl::after_at,
            dsl::after_id,
            now.into_sql::<Timestamptz>(),
        ))
        .for_update()
        .skip_locked()
        .first(connection)
        .await
        .optional()?;
    Ok(row.map(|(subject, at, id, at_this_moment)| Turn {
        after: if subject.is_some() {
            Place { at, id }
        } else {
            Place::START
        },
        subject,
        now: at_this_moment,
    }))
}

/// The next rows that may be old.
async fn look(
    connection: &mut AsyncPgConnection,
    subject: &Subject,
    turn: &Turn,
    before: DateTime<Utc>,
) -> Result<Vec<Place>, StoreError> {
    let rows = i64::try_from(ROWS).unwrap_or(i64::MAX);
    let query = diesel::sql_query(subject.look)
        .bind::<Timestamptz, _>(turn.after.at)
        .bind::<SqlUuid, _>(turn.after.id)
        .bind::<Timestamptz, _>(before)
        .bind::<SqlUuid, _>(least_id_at(before))
        .bind::<BigInt, _>(rows);
    Ok(query.load(connection).await?)
}

#[derive(QueryableByName)]
struct Removed {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Removes what is old of them and tells how many were.
async fn remove(
    connection: &mut AsyncPgConnection,
    subject: &Subject,
    looked_at: &[Place],
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    if looked_at.is_empty() {
        return Ok(0);
    }
    let (times, ids): (Vec<_>, Vec<_>) = looked_at.iter().map(|row| (row.at, row.id)).unzip();
    let query = diesel::sql_query(subject.remove)
        .bind::<Array<Timestamptz>, _>(times)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Timestamptz, _>(before);
    let removed: Removed = query.get_result(connection).await?;
    Ok(removed.count.unsigned_abs())
}

statement! {
    MoveOn<'a> -> Double {
        "UPDATE retention_sweep SET subject = ", subject: Option<&'a str> => Nullable<Text>,
        ", after_at = ", after_at: DateTime<Utc> => Timestamptz,
        ", after_id = ", after_id: Uuid => SqlUuid,
        ", next_step_at = clock_timestamp() + greatest(make_interval(secs => ",
            least_pause: f64 => Double,
        "), 9 * (clock_timestamp() - now()))
        RETURNING extract(epoch FROM next_step_at - clock_timestamp())::float8"
    }
}

/// Tells where the next step begins, and when; `None`: the sweep is over.
async fn move_on(
    connection: &mut AsyncPgConnection,
    next: Option<(&Subject, Place)>,
) -> Result<Duration, StoreError> {
    let (least_pause, after) = match next {
        Some((_, after)) => (LEAST_PAUSE, after),
        None => (BETWEEN_SWEEPS, Place::START),
    };
    let statement = MoveOn {
        subject: next.map(|(subject, _)| subject.table),
        after_at: after.at,
        after_id: after.id,
        least_pause: least_pause.as_secs_f64(),
    };
    let pause: f64 = statement.get_result(connection).await?;
    Ok(Duration::from_secs_f64(pause.max(0.0)))
}
