//! From finished attempts into Postgres, as many in one statement as are there.

use std::collections::HashSet;
use std::sync::Weak;
use std::time::Duration;

use tokio::sync::mpsc;
use uuid::Uuid;
use webhook_domain::{HealthChange, HealthPolicy, Observation, OrderingKey, Outcome, WebhookId};
use webhook_store::attempts::{AttemptResult, record};
use webhook_store::health::{Changes, observe_all};
use webhook_store::{Pool, StoreError, acquire, settings, webhooks};

use crate::lanes::Lanes;
use crate::ordering;

/// How many results wait at most; then attempts wait to hand theirs in.
const CAPACITY: usize = 1_024;

/// The most results in one statement.
const BATCH: usize = 500;

/// So few results wait a moment for more.
const FEW: usize = 100;

/// How long they wait.
const MOMENT: Duration = Duration::from_millis(10);

/// The pause after Postgres failed.
const PAUSE: Duration = Duration::from_millis(500);

/// A finished attempt.
pub(crate) struct Finished {
    pub(crate) result: AttemptResult,
    pub(crate) seen: Observation,
    /// Whose turn may have come now that this delivery has ended.
    pub(crate) turn: Option<(WebhookId, OrderingKey)>,
}

/// Where attempts hand in their results.
pub(crate) type Results = mpsc::Sender<Finished>;

/// The way from the courier to the recorder.
pub(crate) fn channel() -> (Results, mpsc::Receiver<Finished>) {
    mpsc::channel(CAPACITY)
}

/// Records attempts, and lets what they mean take effect.
pub(crate) struct Recorder {
    pub(crate) pool: Pool,
    /// For the attempts themselves.
    pub(crate) batches: Pool,
    /// Its own rows of the totals: no worker waits for another one's.
    pub(crate) worker_id: Uuid,
    /// When a circuit opens; when a webhook is disabled is asked for each time.
    pub(crate) health: HealthPolicy,
    /// Weak, as lanes hold the way to the recorder, which ends when they are gone.
    pub(crate) lanes: Weak<Lanes>,
}

impl Recorder {
    /// Records until the courier is gone and all is recorded.
    pub(crate) async fn record_all(self, mut results: mpsc::Receiver<Finished>) {
        let mut batch = Vec::with_capacity(BATCH);
        while gather(&mut results, &mut batch).await {
            let mut seen = Vec::with_capacity(batch.len());
            let mut turns = Vec::new();
            let mut finished = Vec::with_capacity(batch.len());
            for Finished {
                result,
                seen: one,
                turn,
            } in batch.drain(..)
            {
                seen.push((result.webhook_id, one));
                turns.extend(turn);
                finished.push(result);
            }
            let failing = self.write(&finished).await;
            self.look_after(failing, seen).await;
            self.pass_on(&turns).await;
        }
    }

    /// Writes a batch: recording twice is harmless, so a lost answer is no reason to stop. Tells
    /// which webhooks are known to be failing.
    async fn write(&self, finished: &[AttemptResult]) -> HashSet<WebhookId> {
        let written = insist("record attempts", || async {
            record(
                &mut *acquire(&self.batches).await?,
                self.worker_id,
                finished,
            )
            .await
        });
        written.await.into_iter().collect()
    }

    /// Takes note of failures, and of successes of webhooks that were failing.
    async fn look_after(
        &self,
        failing: HashSet<WebhookId>,
        mut seen: Vec<(WebhookId, Observation)>,
    ) {
        let mut concerned = failing;
        let failed = seen
            .iter()
            .filter(|(_, one)| one.outcome != Outcome::Accepted);
        concerned.extend(failed.map(|(webhook_id, _)| *webhook_id));
        seen.retain(|(webhook_id, _)| concerned.contains(webhook_id));
        if seen.is_empty() {
            return;
        }
        let observed = insist("look after webhooks", || async {
            let mut connection = acquire(&self.pool).await?;
            let policy = HealthPolicy {
                disable_after: settings::find_disable_after(&mut connection).await?,
                ..self.health.clone()
            };
            let changes = observe_all(&mut connection, &seen, &policy).await?;
            Ok((changes, policy.disable_after))
        });
        let (changes, disable_after) = observed.await;
        let gone = seen.iter().filter(|(_, one)| one.outcome == Outcome::Gone);
        for (webhook_id, _) in gone {
            self.disable(*webhook_id, "the receiver answered 410 Gone")
                .await;
        }
        let disabled = with(&changes, HealthChange::Disabled);
        let reason = format!("it has only failed for {}", days(disable_after));
        for webhook_id in &disabled {
            self.disable(*webhook_id, &reason).await;
        }
        let opened = with(&changes, HealthChange::Opened);
        let closed = with(&changes, HealthChange::Closed);
        metrics::counter!("webhook_circuits_opened_total").increment(opened.len() as u64);
        metrics::counter!("webhook_circuits_closed_total").increment(closed.len() as u64);
        if let Some(lanes) = self.lanes.upgrade() {
            lanes.flush(&disabled).await;
            lanes.flush_but_probes(&opened).await;
            if !closed.is_empty() {
                lanes.look_for_more();
            }
        }
    }

    async fn disable(&self, webhook_id: WebhookId, reason: &str) {
        let disabled = insist("disable a webhook", || async {
            webhooks::disable(&mut *acquire(&self.pool).await?, webhook_id, reason).await
        });
        disabled.await;
    }

    /// Gives the turn to those who come next in their order.
    async fn pass_on(&self, turns: &[(WebhookId, OrderingKey)]) {
        if turns.is_empty() {
            return;
        }
        ordering::release(&self.pool, turns).await;
        if let Some(lanes) = self.lanes.upgrade() {
            lanes.look_for_more();
        }
    }
}

/// Waits for results: a moment longer when they are few, as recording one costs as much as recording
/// fifty. Not when somebody's turn depends on it.
async fn gather(results: &mut mpsc::Receiver<Finished>, batch: &mut Vec<Finished>) -> bool {
    if results.recv_many(batch, BATCH).await == 0 {
        return false;
    }
    if batch.len() < FEW && batch.iter().all(|finished| finished.turn.is_none()) {
        tokio::time::sleep(MOMENT).await;
        while batch.len() < BATCH
            && let Ok(more) = results.try_recv()
        {
            batch.push(more);
        }
    }
    true
}

/// Does it, however long Postgres is away.
async fn insist<T, F>(what: &str, mut make: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match make().await {
            Ok(made) => return made,
            Err(error) => {
                log::warn!("cannot {what} yet: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Such as `5 days`; hours below two days.
fn days(time: Duration) -> String {
    match time.as_secs() / 3_600 {
        1 => "1 hour".to_owned(),
        hours @ 0..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

/// The webhooks with this change.
fn with(changes: &Changes, change: HealthChange) -> Vec<WebhookId> {
    let changed = changes.iter().filter(|(_, what)| *what == change);
    changed.map(|(webhook_id, _)| *webhook_id).collect()
}
