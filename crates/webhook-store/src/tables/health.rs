//! Table `webhook_health`: the webhooks that are failing, and those whose receivers are held, as they
//! asked for no requests until some time. Any other webhook has no row.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{
    Circuit, Failing, HealthChange, HealthPolicy, Observation, StatusEventType, WebhookId,
    hold_after, observe,
};

use crate::error::name;
use crate::schema::{webhook_health, webhooks};
use crate::statement::statement;
use crate::{StoreError, status_events};

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_health, check_for_backend(diesel::pg::Pg))]
pub(crate) struct FailingRow {
    webhook_id: Uuid,
    failing_since: DateTime<Utc>,
    failures: i32,
    warned_at: Option<DateTime<Utc>>,
    paused_at: Option<DateTime<Utc>>,
    paused_until: Option<DateTime<Utc>>,
    pauses: i32,
    held_until: Option<DateTime<Utc>>,
}

/// What a row tells of a webhook.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    failing: Option<Failing>,
    held_until: Option<DateTime<Utc>>,
}

impl FailingRow {
    /// Until when its receiver asked for no requests; that may be over.
    pub(crate) fn held_until(&self) -> Option<DateTime<Utc>> {
        self.held_until
    }

    /// `None`: it is only held, or the row was made to be locked and no failure has been seen yet.
    pub(crate) fn read(self) -> Option<Failing> {
        let circuit = match (self.paused_at, self.paused_until) {
            (Some(since), Some(until)) => Circuit::Open {
                since,
                until,
                pauses: self.pauses.unsigned_abs(),
            },
            _ => Circuit::Closed,
        };
        (self.failures > 0).then_some(Failing {
            since: self.failing_since,
            failures: self.failures.unsigned_abs(),
            warned_at: self.warned_at,
            circuit,
        })
    }
}

impl State {
    /// Since when it is failing; a row of one that is only held needs some time there.
    fn since(&self) -> DateTime<Utc> {
        let since = self.failing.map(|failing| failing.since);
        since.or(self.held_until).unwrap_or_default()
    }
}

/// What attempts changed about their webhooks, each with what changed.
pub type Changes = Vec<(WebhookId, HealthChange)>;

/// What follows from attempts for their webhooks.
#[derive(Debug, Default)]
pub struct Observed {
    /// What changed.
    pub changes: Changes,
    /// The webhooks of them whose receivers are held now, and until when.
    pub held: Vec<(WebhookId, DateTime<Utc>)>,
}

/// Takes note of attempts that ended, in their order, and tells what that changed.
///
/// The rows are locked while the domain decides, so that several workers count together. Warnings
/// are put into the outbox; disabling is left to the caller.
pub async fn observe_all(
    connection: &mut AsyncPgConnection,
    seen: &[(WebhookId, Observation)],
    policy: &HealthPolicy,
) -> Result<Observed, StoreError> {
    let transaction = async |connection: &mut AsyncPgConnection| {
        let ids = make_rows(connection, seen).await?;
        let rows: Vec<FailingRow> = webhook_health::table
            .filter(webhook_health::webhook_id.eq_any(ids))
            .order(webhook_health::webhook_id)
            .for_update()
            .select(FailingRow::as_select())
            .load(connection)
            .await?;
        let locked: Vec<Uuid> = rows.iter().map(|row| row.webhook_id).collect();
        let before = rows.into_iter().map(|row| {
            let held_until = row.held_until;
            let (webhook_id, failing) = (row.webhook_id, row.read());
            (
                webhook_id,
                State {
                    failing,
                    held_until,
                },
            )
        });
        let (after, changes) = fold(before.collect(), seen, policy);
        write(connection, &locked, &after).await?;
        warn(connection, &changes).await?;
        let held = after.iter();
        let held = held.filter_map(|(id, state)| Some((WebhookId(*id), state.held_until?)));
        Ok(Observed {
            held: held.collect(),
            changes,
        })
    };
    connection.transaction(transaction).await
}

/// Makes rows for webhooks that failed or are to be held, to be locked; tells every webhook that was
/// seen.
async fn make_rows(
    connection: &mut AsyncPgConnection,
    seen: &[(WebhookId, Observation)],
) -> Result<Vec<Uuid>, StoreError> {
    // In order, so that workers that make the same rows wait for each other and not for ever.
    let mut failed = BTreeMap::new();
    for (webhook_id, observation) in seen {
        if observation.is_remarkable() {
            failed.entry(webhook_id.0).or_insert(observation.ended_at);
        }
    }
    if !failed.is_empty() {
        let (webhook_ids, since): (Vec<Uuid>, Vec<DateTime<Utc>>) = failed.into_iter().unzip();
        let since = &since;
        MakeRows { webhook_ids, since }.execute(connection).await?;
    }
    Ok(seen.iter().map(|(webhook_id, _)| webhook_id.0).collect())
}

statement! {
    MakeRows<'a> -> diesel::sql_types::Untyped {
        "INSERT INTO webhook_health (webhook_id, failing_since, failures)
         SELECT webhooks.id, failed.since, 0
         FROM unnest(", webhook_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", since: &'a [DateTime<Utc>] => Array<Timestamptz>,
        ") AS failed (webhook_id, since) JOIN webhooks ON webhooks.id = failed.webhook_id
         ORDER BY webhooks.id
         ON CONFLICT DO NOTHING"
    }
}

fn fold(
    mut states: HashMap<Uuid, State>,
    seen: &[(WebhookId, Observation)],
    policy: &HealthPolicy,
) -> (HashMap<Uuid, State>, Changes) {
    let mut changes = Vec::new();
    for (webhook_id, observation) in seen {
        if let Some(state) = states.get_mut(&webhook_id.0) {
            let (failing, changed) = observe(state.failing, observation, policy);
            *state = State {
                failing,
                held_until: hold_after(state.held_until, observation),
            };
            changes.extend(changed.into_iter().map(|change| (*webhook_id, change)));
        }
    }
    (states, changes)
}

statement! {
    Write<'a> -> diesel::sql_types::Untyped {
        "UPDATE webhook_health SET failing_since = state.since, failures = state.failures,
            warned_at = state.warned_at, paused_at = state.paused_at,
            paused_until = state.paused_until, pauses = state.pauses,
            held_until = state.held_until
         FROM unnest(", webhook_ids: &'a [Uuid] => Array<SqlUuid>,
        ", ", since: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", failures: Vec<i32> => Array<Integer>,
        ", ", warned_at: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ", ", paused_at: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ", ", paused_until: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ", ", pauses: Vec<i32> => Array<Integer>,
        ", ", held_until: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ") AS state (webhook_id, since, failures, warned_at, paused_at, paused_until, pauses,
            held_until)
         WHERE webhook_health.webhook_id = state.webhook_id"
    }
}

async fn write(
    connection: &mut AsyncPgConnection,
    locked: &[Uuid],
    states: &HashMap<Uuid, State>,
) -> Result<(), StoreError> {
    let has_row = |state: &State| state.failing.is_some() || state.held_until.is_some();
    let kept = states.iter().filter(|(_, state)| has_row(state));
    let (webhook_ids, kept): (Vec<Uuid>, Vec<State>) = kept.unzip();
    let healthy = locked
        .iter()
        .filter(|id| states.get(id).is_some_and(|state| !has_row(state)));
    let healthy: Vec<WebhookId> = healthy.map(|id| WebhookId(*id)).collect();
    if !healthy.is_empty() {
        forget(connection, &healthy).await?;
    }
    if kept.is_empty() {
        return Ok(());
    }
    let paused = |state: &State| match state.failing.map(|failing| failing.circuit) {
        None | Some(Circuit::Closed) => (None, None, 0),
        Some(Circuit::Open {
            since,
            until,
            pauses,
        }) => (Some(since), Some(until), pauses),
    };
    let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let failing = || kept.iter().map(|state| state.failing);
    let statement = Write {
        webhook_ids: &webhook_ids,
        since: kept.iter().map(State::since).collect(),
        failures: failing()
            .map(|f| f.map_or(0, |f| count(f.failures)))
            .collect(),
        warned_at: failing().map(|f| f?.warned_at).collect(),
        paused_at: kept.iter().map(|s| paused(s).0).collect(),
        paused_until: kept.iter().map(|s| paused(s).1).collect(),
        pauses: kept.iter().map(|s| count(paused(s).2)).collect(),
        held_until: kept.iter().map(|s| s.held_until).collect(),
    };
    statement.execute(connection).await?;
    Ok(())
}

/// Ends a hold before its time, as an admin wants. `false`: there was none.
pub async fn end_hold(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<bool, StoreError> {
    let held = webhook_health::table
        .find(id.0)
        .filter(webhook_health::held_until.gt(diesel::dsl::now));
    let ended = diesel::update(held)
        .set(webhook_health::held_until.eq(None::<DateTime<Utc>>))
        .execute(connection)
        .await?;
    Ok(ended > 0)
}

statement! {
    /// Bound is what is compared with, so that the partial index serves it.
    ListHeld<'a> -> (SqlUuid, Timestamptz) {
        "SELECT webhook_id, held_until FROM webhook_health
         WHERE held_until IS NOT NULL AND held_until > ", now: &'a DateTime<Utc> => Timestamptz, ""
    }
}

/// Lists the webhooks whose receivers are held, and until when.
pub async fn list_held(
    connection: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<(WebhookId, DateTime<Utc>)>, StoreError> {
    let held: Vec<(Uuid, DateTime<Utc>)> = ListHeld { now: &now }.load(connection).await?;
    Ok(held
        .into_iter()
        .map(|(id, until)| (WebhookId(id), until))
        .collect())
}

/// Lets webhooks start anew as healthy.
pub(crate) async fn forget(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<(), StoreError> {
    let ids = ids.iter().map(|id| id.0);
    diesel::delete(webhook_health::table.filter(webhook_health::webhook_id.eq_any(ids)))
        .execute(connection)
        .await?;
    Ok(())
}

async fn warn(connection: &mut AsyncPgConnection, changes: &Changes) -> Result<(), StoreError> {
    for (webhook_id, change) in changes {
        if *change != HealthChange::Warned {
            continue;
        }
        let environment: String = webhooks::table
            .find(webhook_id.0)
            .select(webhooks::environment)
            .first(connection)
            .await?;
        let told = (StatusEventType::WebhookWarning, name(&environment)?);
        let reason = "it has only failed for a long time and will be set Inactive";
        let event = status_events::about(*webhook_id, told, reason);
        status_events::insert(connection, &event).await?;
    }
    Ok(())
}

/// How many circuits are open.
pub async fn count_open_circuits(connection: &mut AsyncPgConnection) -> Result<i64, StoreError> {
    let open = webhook_health::table.filter(webhook_health::paused_until.is_not_null());
    Ok(open.count().get_result(connection).await?)
}
