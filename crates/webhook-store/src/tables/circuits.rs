//! Table `webhook_health`: circuits of failing webhooks, and holds: receivers that asked for no requests
//! before a time. Any other webhook has no row.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Untyped};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use webhook_domain::{
    Circuit, CircuitChange, CircuitPolicy, Environment, Failing, Observation, StatusEventType,
    WebhookId, hold_after, observe,
};

use crate::StoreError;
use crate::column_types::{Id, bind, bind_all};
use crate::schema::{webhook_health, webhooks};
use crate::sql::sql;
use crate::tables::status_events;

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_health, check_for_backend(diesel::pg::Pg))]
pub(crate) struct FailingRow {
    webhook_id: WebhookId,
    failing_since: DateTime<Utc>,
    failures: i32,
    warned_at: Option<DateTime<Utc>>,
    paused_at: Option<DateTime<Utc>>,
    paused_until: Option<DateTime<Utc>>,
    pauses: i32,
    held_until: Option<DateTime<Utc>>,
    forbidden: i32,
}

/// The state of a webhook, as its row holds it.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    failing: Option<Failing>,
    held_until: Option<DateTime<Utc>>,
}

impl FailingRow {
    /// The end of the hold, past or to come; `None`: no hold.
    pub(crate) fn held_until(&self) -> Option<DateTime<Utc>> {
        self.held_until
    }

    /// The failures in a row. `None`: the webhook is only held, or the row is new and locked for a failure.
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
            forbidden: self.forbidden.unsigned_abs(),
        })
    }
}

impl State {
    /// The value of `failing_since`, which is not null: a webhook without failures gets any time.
    fn since(&self) -> DateTime<Utc> {
        let since = self.failing.map(|failing| failing.since);
        since.or(self.held_until).unwrap_or_default()
    }
}

/// Changes of circuits, by webhook.
pub type Changes = Vec<(WebhookId, CircuitChange)>;

/// The consequences of attempts for their webhooks.
#[derive(Debug, Default)]
pub struct Observed {
    /// Changes of circuits.
    pub changes: Changes,
    /// Webhooks that are held now, with the end of the hold.
    pub held: Vec<(WebhookId, DateTime<Utc>)>,
}

/// Counts ended attempts, in order, for the circuits and holds of their webhooks.
///
/// Warnings are put into the outbox. Disabling is left to the caller.
pub async fn apply_observations(
    connection: &mut AsyncPgConnection,
    seen: &[(WebhookId, Observation)],
    policy: &CircuitPolicy,
) -> Result<Observed, StoreError> {
    let transaction = async |connection: &mut AsyncPgConnection| {
        let ids = make_rows(connection, seen).await?;
        let before = lock_states(connection, &ids).await?;
        let locked: Vec<WebhookId> = before.keys().copied().collect();
        let (after, changes) = fold(before, seen, policy);
        write(connection, &locked, &after).await?;
        warn(connection, &changes).await?;
        let held = after.iter();
        let held = held.filter_map(|(id, state)| Some((*id, state.held_until?)));
        Ok(Observed {
            held: held.collect(),
            changes,
        })
    };
    connection.transaction(transaction).await
}

/// Locks the rows of webhooks until the transaction ends.
async fn lock_states(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<HashMap<WebhookId, State>, StoreError> {
    // Locked while the domain decides, so that several workers count together, and in order, so that
    // two workers never deadlock.
    let rows: Vec<FailingRow> = webhook_health::table
        .filter(webhook_health::webhook_id.eq_any(bind_all(ids)))
        .order(webhook_health::webhook_id)
        .for_update()
        .select(FailingRow::as_select())
        .load(connection)
        .await?;
    let states = rows.into_iter().map(|row| {
        let (webhook_id, held_until) = (row.webhook_id, row.held_until);
        let failing = row.read();
        let state = State {
            failing,
            held_until,
        };
        (webhook_id, state)
    });
    Ok(states.collect())
}

/// Creates missing rows of webhooks that failed or are to be held. Returns all webhooks of the attempts.
async fn make_rows(
    connection: &mut AsyncPgConnection,
    seen: &[(WebhookId, Observation)],
) -> Result<Vec<WebhookId>, StoreError> {
    // In order, so that workers with the same webhooks wait for each other and never deadlock.
    let mut failed = BTreeMap::new();
    for (webhook_id, observation) in seen {
        if observation.changes_circuit_or_hold() {
            failed.entry(*webhook_id).or_insert(observation.ended_at);
        }
    }
    if !failed.is_empty() {
        let (webhook_ids, since): (Vec<WebhookId>, Vec<DateTime<Utc>>) = failed.into_iter().unzip();
        MakeRows { webhook_ids, since }.execute(connection).await?;
    }
    Ok(seen.iter().map(|(webhook_id, _)| *webhook_id).collect())
}

sql! {
    struct MakeRows from "circuits/make_rows.sql" -> Untyped {
        1 webhook_ids: Vec<WebhookId> as Array<Id<WebhookId>>,
        2 since: Vec<DateTime<Utc>> as Array<Timestamptz>,
    }
}

fn fold(
    mut states: HashMap<WebhookId, State>,
    seen: &[(WebhookId, Observation)],
    policy: &CircuitPolicy,
) -> (HashMap<WebhookId, State>, Changes) {
    let mut changes = Vec::new();
    for (webhook_id, observation) in seen {
        if let Some(state) = states.get_mut(webhook_id) {
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

sql! {
    struct Write from "circuits/write.sql" -> Untyped {
        1 webhook_ids: Vec<WebhookId> as Array<Id<WebhookId>>,
        2 since: Vec<DateTime<Utc>> as Array<Timestamptz>,
        3 failures: Vec<i32> as Array<Integer>,
        4 warned_at: Vec<Option<DateTime<Utc>>> as Array<Nullable<Timestamptz>>,
        5 paused_at: Vec<Option<DateTime<Utc>>> as Array<Nullable<Timestamptz>>,
        6 paused_until: Vec<Option<DateTime<Utc>>> as Array<Nullable<Timestamptz>>,
        7 pauses: Vec<i32> as Array<Integer>,
        8 held_until: Vec<Option<DateTime<Utc>>> as Array<Nullable<Timestamptz>>,
        9 forbidden: Vec<i32> as Array<Integer>,
    }
}

async fn write(
    connection: &mut AsyncPgConnection,
    locked: &[WebhookId],
    states: &HashMap<WebhookId, State>,
) -> Result<(), StoreError> {
    let has_row = |state: &State| state.failing.is_some() || state.held_until.is_some();
    let kept = states.iter().filter(|(_, state)| has_row(state));
    let (webhook_ids, kept): (Vec<WebhookId>, Vec<State>) = kept.unzip();
    let healthy = locked
        .iter()
        .filter(|id| states.get(id).is_some_and(|state| !has_row(state)));
    let healthy: Vec<WebhookId> = healthy.copied().collect();
    if !healthy.is_empty() {
        forget(connection, &healthy).await?;
    }
    if kept.is_empty() {
        return Ok(());
    }
    Write::of(webhook_ids, &kept).execute(connection).await?;
    Ok(())
}

impl Write {
    fn of(webhook_ids: Vec<WebhookId>, states: &[State]) -> Self {
        let paused = |state: &State| match state.failing.map(|failing| failing.circuit) {
            None | Some(Circuit::Closed) => (None, None, 0),
            Some(Circuit::Open {
                since,
                until,
                pauses,
            }) => (Some(since), Some(until), pauses),
        };
        let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let failing = || states.iter().map(|state| state.failing);
        Self {
            webhook_ids,
            since: states.iter().map(State::since).collect(),
            failures: failing()
                .map(|f| f.map_or(0, |f| count(f.failures)))
                .collect(),
            warned_at: failing().map(|f| f?.warned_at).collect(),
            paused_at: states.iter().map(|s| paused(s).0).collect(),
            paused_until: states.iter().map(|s| paused(s).1).collect(),
            pauses: states.iter().map(|s| count(paused(s).2)).collect(),
            held_until: states.iter().map(|s| s.held_until).collect(),
            forbidden: failing()
                .map(|f| f.map_or(0, |f| count(f.forbidden)))
                .collect(),
        }
    }
}

sql! {
    struct HoldHosts<'a> from "circuits/hold_hosts.sql" -> (Id<WebhookId>, Timestamptz) {
        1 hosts: &'a [&'a str] as Array<Text>,
        2 until: DateTime<Utc> as Timestamptz,
    }
}

/// Holds all webhooks at some hosts until a time, and returns the webhooks that were not held as long before.
///
/// Reads every webhook and writes a row for each at the hosts: for a limit that a service keeps for all webhooks
/// together, which is met seldom.
pub async fn hold_hosts(
    connection: &mut AsyncPgConnection,
    hosts: &[&str],
    until: DateTime<Utc>,
) -> Result<Vec<(WebhookId, DateTime<Utc>)>, StoreError> {
    Ok(HoldHosts { hosts, until }.load(connection).await?)
}

/// Ends a hold early, for an admin. `false`: the webhook was not held.
pub async fn end_hold(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<bool, StoreError> {
    let held = webhook_health::table
        .find(bind(id))
        .filter(webhook_health::held_until.gt(diesel::dsl::now));
    let ended = diesel::update(held)
        .set(webhook_health::held_until.eq(None::<DateTime<Utc>>))
        .execute(connection)
        .await?;
    Ok(ended > 0)
}

/// Lists the webhooks that are held, with the end of the hold.
pub async fn list_held(
    connection: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<(WebhookId, DateTime<Utc>)>, StoreError> {
    // The time is bound and not `now()`: the partial index serves a comparison with a constant only.
    let held = webhook_health::table
        .filter(webhook_health::held_until.is_not_null())
        .filter(webhook_health::held_until.gt(now))
        .select((
            webhook_health::webhook_id,
            webhook_health::held_until.assume_not_null(),
        ));
    Ok(held.load(connection).await?)
}

/// Closes circuits and ends holds.
pub(crate) async fn forget(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<(), StoreError> {
    diesel::delete(webhook_health::table.filter(webhook_health::webhook_id.eq_any(bind_all(ids))))
        .execute(connection)
        .await?;
    Ok(())
}

async fn warn(connection: &mut AsyncPgConnection, changes: &Changes) -> Result<(), StoreError> {
    for (webhook_id, change) in changes {
        if *change != CircuitChange::Warned {
            continue;
        }
        let environment: Environment = webhooks::table
            .find(bind(*webhook_id))
            .select(webhooks::environment)
            .first(connection)
            .await?;
        let event = status_events::about(
            StatusEventType::WebhookWarning,
            *webhook_id,
            environment,
            "every attempt failed for a long time; the webhook will be set Inactive",
        );
        status_events::insert(connection, &event).await?;
    }
    Ok(())
}
