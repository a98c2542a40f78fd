//! The recorder: judged attempts into Postgres, many by a single statement.
//!
//! ```text
//! results ─► gather ─► write ─► consequences (circuits, holds, status of webhooks) ─► turns
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_domain::CircuitPolicy;
use webhook_metrics::catalogue::DELIVERIES_ENDED;
use webhook_store::attempts::{AttemptResult, NextState};
use webhook_store::ordering::Turns;

use super::backlog::Backlog;
use super::lanes::Lanes;
use super::results::JudgedAttempt;
use crate::readiness::Readiness;
use crate::worker::Pools;

mod consequences;
mod write;

/// The most results in a statement. A longer statement would hold memory and locks for long.
const MAX_BATCH: usize = 500;

/// The number of results below which the recorder waits for more: a statement for a single result costs
/// as much as for fifty.
const FEW_RESULTS: usize = 100;

/// How long the recorder waits for more results.
const FEW_RESULTS_WAIT: Duration = Duration::from_millis(10);

/// The pause after Postgres failed.
const PAUSE_AFTER_RECORDER_FAILURE: Duration = Duration::from_millis(500);

/// Records attempts, and lets the consequences take effect.
pub(crate) struct Recorder {
    pub(crate) pools: Pools,
    /// The owner of the recorder's own rows of the totals, so no worker waits for another worker's rows.
    pub(crate) worker_id: Uuid,
    /// When a circuit opens. The time until a webhook is disabled is read from the platform's settings.
    pub(crate) circuit_policy: CircuitPolicy,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) readiness: Arc<Readiness>,
}

impl Recorder {
    /// Records results until `attempts_are_over` and all results are recorded.
    pub(crate) async fn record_all(
        self,
        mut results: mpsc::Receiver<JudgedAttempt>,
        attempts_are_over: CancellationToken,
    ) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        while gather(&mut results, &mut batch, &attempts_are_over).await {
            let mut observations = Vec::with_capacity(batch.len());
            let mut turns = Turns::default();
            let mut attempts = Vec::with_capacity(batch.len());
            for judged in batch.drain(..) {
                let webhook_id = judged.result.webhook_id;
                observations.extend(judged.observation.map(|seen| (webhook_id, seen)));
                turns.add(webhook_id, judged.ends_turn_of);
                attempts.push(judged.result);
            }
            // Attempts first: the statement returns the webhooks that are failing or held, and the next
            // delivery of an ordering key goes only after the commit of the delivery before.
            let with_circuit_row = self.write(&attempts).await;
            count_ended(&attempts);
            self.apply_consequences(with_circuit_row, observations)
                .await;
            self.backlog.release_turns(turns).await;
        }
    }
}

fn count_ended(attempts: &[AttemptResult]) {
    let ended = |state: &NextState| attempts.iter().filter(|one| one.next == *state).count();
    DELIVERIES_ENDED.add_for(&["succeeded"], ended(&NextState::Succeeded) as u64);
    DELIVERIES_ENDED.add_for(&["failed"], ended(&NextState::Failed) as u64);
}

/// Waits for results and fills `batch`. `false`: there are no more, and never will be.
async fn gather(
    results: &mut mpsc::Receiver<JudgedAttempt>,
    batch: &mut Vec<JudgedAttempt>,
    attempts_are_over: &CancellationToken,
) -> bool {
    let received = tokio::select! {
        biased;
        received = results.recv_many(batch, MAX_BATCH) => received,
        () = attempts_are_over.cancelled() => {
            // A closed channel hands out the remaining results, and then none.
            results.close();
            results.recv_many(batch, MAX_BATCH).await
        }
    };
    if received == 0 {
        return false;
    }
    // Not when an ordering key waits for the result: every delivery of the key would wait.
    if batch.len() < FEW_RESULTS && batch.iter().all(|judged| judged.ends_turn_of.is_none()) {
        sleep(FEW_RESULTS_WAIT).await;
        while batch.len() < MAX_BATCH
            && let Ok(more) = results.try_recv()
        {
            batch.push(more);
        }
    }
    true
}
