//! Table `webhook_health`: the webhooks that are failing. A healthy one has no row.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{
    Circuit, Failing, HealthChange, HealthPolicy, Observation, Outcome, StatusEventType, WebhookId,
    observe,
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
}

impl FailingRow {
    /// `None`: it was made to be locked, and no failure has been seen yet.
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

/// What attempts changed about their webhooks, each with what changed.
pub type Changes = Vec<(WebhookId, HealthChange)>;

/// Takes note of attempts that ended, in their order, and tells what that changed.
///
/// The rows are locked while the domain decides, so that several workers count together. Warnings
/// are put into the outbox; disabling is left to the caller.
pub async fn observe_all(
    connection: &mut AsyncPgConnection,
    seen: &[(WebhookId, Observation)],
    policy: &HealthPolicy,
) -> Result<Changes, StoreError> {
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
        let before = rows.into_iter().map(|row| (row.webhook_id, row.read()));
        let (after, changes) = fold(before.collect(), seen, policy);
        write(connection, &locked, &after).await?;
        warn(connection, &changes).await?;
        Ok(changes)
    };
    connection.transaction(transaction).await
}

/// Makes rows for webhooks that failed, to be locked; tells every webhook that was seen.
async fn make_rows(
    connection: &mut AsyncPgConnection,
    seen: &[(WebhookId, Observation)],
) -> Result<Vec<Uuid>, StoreError> {
    // In order, so that workers that make the same rows wait for each other and not for ever.
    let mut failed = BTreeMap::new();
    for (webhook_id, observation) in seen {
        if observation.outcome != Outcome::Accepted {
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
    mut states: HashMap<Uuid, Option<Failing>>,
    seen: &[(WebhookId, Observation)],
    policy: &HealthPolicy,
) -> (HashMap<Uuid, Option<Failing>>, Changes) {
    let mut changes = Vec::new();
    for (webhook_id, observation) in seen {
        if let Some(state) = states.get_mut(&webhook_id.0) {
            let (next, changed) = observe(*state, observation, policy);
            *state = next;
            changes.extend(changed.into_iter().map(|change| (*webhook_id, change)));
        }
    }
    (states, changes)
}

statement! {
    Write<'a> -> diesel::sql_types::Untyped {
        "UPDATE webhook_health SET failing_since = state.since, failures = state.failures,
            warned_at = state.warned_at, paused_at = state.paused_at,
            paused_until = state.paused_until, pauses = state.pauses
         FROM unnest(", webhook_ids: &'a [Uuid] => Array<SqlUuid>,
        ", ", since: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", failures: Vec<i32> => Array<Integer>,
        ", ", warned_at: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ", ", paused_at: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ", ", paused_until: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ", ", pauses: Vec<i32> => Array<Integer>,
        ") AS state (webhook_id, since, failures, warned_at, paused_at, paused_until, pauses)
         WHERE webhook_health.webhook_id = state.webhook_id"
    }
}

async fn write(
    connection: &mut AsyncPgConnection,
    locked: &[Uuid],
    states: &HashMap<Uuid, Option<Failing>>,
) -> Result<(), StoreError> {
    let failing = states
        .iter()
        .filter_map(|(id, state)| Some((*id, (*state)?)));
    let (webhook_ids, failing): (Vec<Uuid>, Vec<Failing>) = failing.unzip();
    let healthy = locked
        .iter()
        .filter(|id| states.get(id).is_some_and(Option::is_none));
    let healthy: Vec<WebhookId> = healthy.map(|id| WebhookId(*id)).collect();
    if !healthy.is_empty() {
        forget(connection, &healthy).await?;
    }
    if failing.is_empty() {
        return Ok(());
    }
    let paused = |state: &Failing| match state.circuit {
        Circuit::Closed => (None, None, 0),
        Circuit::Open {
            since,
            until,
            pauses,
        } => (Some(since), Some(until), pauses),
    };
    let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let statement = Write {
        webhook_ids: &webhook_ids,
        since: failing.iter().map(|f| f.since).collect(),
        failures: failing.iter().map(|f| count(f.failures)).collect(),
        warned_at: failing.iter().map(|f| f.warned_at).collect(),
        paused_at: failing.iter().map(|f| paused(f).0).collect(),
        paused_until: failing.iter().map(|f| paused(f).1).collect(),
        pauses: failing.iter().map(|f| count(paused(f).2)).collect(),
    };
    statement.execute(connection).await?;
    Ok(())
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
