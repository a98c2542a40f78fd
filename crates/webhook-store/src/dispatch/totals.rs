//! The totals of all dispatchers, for the metrics of the dispatcher that counts.

use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Double, Nullable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::WebhookId;

use crate::StoreError;
use crate::column_types::Id;
use crate::sql::{Columns, row, sql};

row! {
    /// Deliveries that wait.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Waiting {
        /// Pending deliveries, due or not.
        pending: i64 as BigInt,
        /// Due deliveries that nothing holds back.
        due: i64 as BigInt,
        /// Due deliveries of webhooks whose receivers ask for less by 429 or 5xx.
        due_restrained: i64 as BigInt,
        /// Due deliveries of webhooks with a rate limit, or with a format that has a pace.
        due_rate_limited: i64 as BigInt,
        /// Due deliveries of webhooks whose receivers asked for no requests.
        due_held: i64 as BigInt,
        /// Due deliveries of webhooks with an open circuit.
        due_circuit_open: i64 as BigInt,
        /// Due deliveries of Inactive webhooks.
        due_inactive: i64 as BigInt,
        /// How long the oldest due delivery has waited that nothing holds back, in seconds; 0: none waits.
        oldest_due_seconds: f64 as Double,
    }
}

row! {
    /// Webhooks by state, and the platform's other totals.
    #[derive(Debug, Clone, PartialEq)]
    pub struct PlatformTotals {
        /// Active webhooks.
        active: i64 as BigInt,
        /// Inactive webhooks.
        inactive: i64 as BigInt,
        /// Webhooks that the platform set Inactive.
        disabled: i64 as BigInt,
        /// Active webhooks whose latest attempt failed.
        failing: i64 as BigInt,
        /// Active webhooks with an open circuit.
        circuit_open: i64 as BigInt,
        /// Active webhooks whose receivers asked for no requests.
        held: i64 as BigInt,
        /// Dispatchers with a recent sign of life.
        dispatchers: i64 as BigInt,
        /// Status events that are not published yet.
        status_events: i64 as BigInt,
        /// Attempts of this hour and of the hour before, of all dispatchers.
        attempts: i64 as BigInt,
        /// Age of the oldest ended delivery, in seconds; `None`: there is none.
        oldest_delivery_seconds: Option<f64> as Nullable<Double>,
        /// Age of the oldest event, in seconds; `None`: there is none.
        oldest_event_seconds: Option<f64> as Nullable<Double>,
        /// Age of the oldest transcript, in seconds; `None`: there is none.
        oldest_transcript_seconds: Option<f64> as Nullable<Double>,
    }
}

sql! {
    struct CountWaiting from "totals/count_waiting.sql" -> Columns<Waiting> {
        1 max: i64 as BigInt,
        2 restrained: Vec<WebhookId> as Array<Id<WebhookId>>,
    }
}

sql! {
    struct CountPlatform from "totals/count_platform.sql" -> Columns<PlatformTotals> {
        1 alive_for_seconds: f64 as Double,
        2 max_status_events: i64 as BigInt,
    }
}

/// The most deliveries that are counted: pending ones in all, due ones of each webhook.
const MAX_DELIVERIES: i64 = 1_000_000;

/// The most status events that are counted.
const MAX_STATUS_EVENTS: i64 = 10_000;

/// Counts what waits. `restrained`: the webhooks whose receivers ask for less. Takes as long as reading the index entries of what waits, some 100 ms for a million.
pub async fn count_waiting(
    connection: &mut AsyncPgConnection,
    restrained: Vec<WebhookId>,
) -> Result<Waiting, StoreError> {
    let statement = CountWaiting {
        max: MAX_DELIVERIES,
        restrained,
    };
    Ok(statement.get_result(connection).await?)
}

/// Counts webhooks, dispatchers with a sign of life within `alive_for`, and the platform's other totals.
pub async fn count_platform(
    connection: &mut AsyncPgConnection,
    alive_for: Duration,
) -> Result<PlatformTotals, StoreError> {
    let statement = CountPlatform {
        alive_for_seconds: alive_for.as_secs_f64(),
        max_status_events: MAX_STATUS_EVENTS,
    };
    Ok(statement.get_result(connection).await?)
}
