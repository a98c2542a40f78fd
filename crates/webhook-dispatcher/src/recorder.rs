//! From finished attempts into Postgres, as many in one statement as are there.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use uuid::Uuid;
use webhook_domain::{
    FailureDetail, HealthChange, HealthPolicy, Observation, OrderingKey, Outcome, StatusEvent,
    WebhookId,
};
use webhook_store::attempts::{Attempt, AttemptResult, Exchange, record};
use webhook_store::health::{Changes, Observed, observe_all};
use webhook_store::ordering::Turns;
use webhook_store::{Pool, StoreError, acquire, settings, webhooks};

use crate::lanes::Lanes;
use crate::ordering;
use crate::parts::Parts;
use crate::readiness::Readiness;

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
    /// `None`: it says nothing new about the webhook's health.
    pub(crate) seen: Option<Observation>,
    /// Whose turn may have come now that this delivery has ended.
    pub(crate) turn: Option<OrderingKey>,
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
    pub(crate) readiness: Arc<Readiness>,
}

impl Recorder {
    /// Records until the courier is gone and all is recorded.
    pub(crate) async fn record_all(self, mut results: mpsc::Receiver<Finished>) {
        let mut batch = Vec::with_capacity(BATCH);
        while gather(&mut results, &mut batch).await {
            let mut seen = Vec::with_capacity(batch.len());
            let mut turns = Turns::default();
            let mut finished = Vec::with_capacity(batch.len());
            for Finished {
                result,
                seen: one,
                turn,
            } in batch.drain(..)
            {
                seen.extend(one.map(|one| (result.webhook_id, one)));
                turns.add(result.webhook_id, turn);
                finished.push(result);
            }
            let failing = self.write(&finished).await;
            self.look_after(failing, seen).await;
            self.pass_on(turns).await;
        }
    }

    /// Writes a batch, however long Postgres is away: recording twice is harmless, so a lost answer is
    /// no reason to stop. An attempt that Postgres refuses costs itself only. Tells which webhooks
    /// are known to be failing.
    async fn write(&self, finished: &[AttemptResult]) -> HashSet<WebhookId> {
        let (mut parts, mut failing) = (Parts::of(finished.len()), HashSet::new());
        let (mut refused, mut others_were_taken) = (Vec::new(), false);
        while let Some(part) = parts.next() {
            let written = match self.try_write(&finished[part.clone()]).await {
                Err(error) if error.is_unavailable() => Err(error),
                Err(_) if part.len() > 1 => {
                    parts.halve(part);
                    continue;
                }
                Err(error) => match self.write_plain(&finished[part.start], &error).await {
                    // Refused in both forms: once others are taken, it is not Postgres that is at fault.
                    Err(error) if !error.is_unavailable() && finished.len() > 1 => {
                        refused.push((part.start, error));
                        continue;
                    }
                    written => written,
                },
                Ok(written) => {
                    others_were_taken = true;
                    Ok(written)
                }
            };
            self.readiness.set_recorder_stuck(written.is_err());
            match written {
                Ok(written) => failing.extend(written),
                Err(error) if error.is_refusal() => give_up(&finished[part.start], &error),
                Err(error) => {
                    log::warn!("cannot record attempts yet: {error}");
                    parts.put_back(part);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        for (place, error) in refused {
            if others_were_taken || error.is_refusal() {
                give_up(&finished[place], &error);
            } else {
                let again = Box::pin(self.write(&finished[place..=place]));
                failing.extend(again.await);
            }
        }
        failing
    }

    async fn try_write(&self, finished: &[AttemptResult]) -> Result<Vec<WebhookId>, StoreError> {
        let mut connection = acquire(&self.batches).await?;
        record(&mut connection, self.worker_id, finished).await
    }

    /// Writes an attempt that was refused for `reason`, unless it is taken now, in a form that cannot
    /// be refused. If that is refused too, it is Postgres that is at fault.
    async fn write_plain(
        &self,
        finished: &AttemptResult,
        reason: &StoreError,
    ) -> Result<Vec<WebhookId>, StoreError> {
        if let Ok(written) = self.try_write(std::slice::from_ref(finished)).await {
            return Ok(written);
        }
        let written = self.try_write(&[plain(finished, reason)]).await?;
        metrics::counter!("webhook_attempts_recorded_plain_total").increment(1);
        let (id, number) = (finished.attempt.delivery_id, finished.attempt.number);
        log::error!(delivery_id:% = id, attempt = number; "attempt {number} of {id} was recorded without what was said, which Postgres refuses: {reason}");
        Ok(written)
    }

    /// Takes note of failures and holds, and of successes of webhooks that were failing or held.
    async fn look_after(
        &self,
        failing: HashSet<WebhookId>,
        mut seen: Vec<(WebhookId, Observation)>,
    ) {
        let mut concerned = failing;
        let remarkable = seen.iter().filter(|(_, one)| one.is_remarkable());
        concerned.extend(remarkable.map(|(webhook_id, _)| *webhook_id));
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
            let observed = observe_all(&mut connection, &seen, &policy).await?;
            Ok((observed, policy.disable_after))
        });
        let gone = seen.iter().filter(|(_, one)| one.outcome == Outcome::Gone);
        for (webhook_id, _) in gone {
            self.disable(*webhook_id, "the receiver answered 410 Gone")
                .await;
        }
        let observed = observed.await;
        self.pass_holds_on(observed.as_ref().map(|(observed, _)| observed), &seen)
            .await;
        let Some((Observed { changes, .. }, disable_after)) = observed else {
            return;
        };
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

    /// Tells the lanes which holds every worker knows of from now on. They no longer know better than
    /// Postgres of those that were asked for, also if these could not be written.
    async fn pass_holds_on(&self, observed: Option<&Observed>, seen: &[(WebhookId, Observation)]) {
        let asked = seen.iter().filter(|(_, one)| one.outcome.hold().is_some());
        let asked: Vec<WebhookId> = asked.map(|(webhook_id, _)| *webhook_id).collect();
        let held = observed.map_or(&[][..], |observed| &observed.held);
        if let Some(lanes) = self.lanes.upgrade()
            && !(asked.is_empty() && held.is_empty())
        {
            lanes.settle_holds(&asked);
            lanes.hold(held).await;
        }
    }

    async fn disable(&self, webhook_id: WebhookId, reason: &str) {
        let disabled = insist("disable a webhook", || async {
            webhooks::disable(&mut *acquire(&self.pool).await?, webhook_id, reason).await
        });
        disabled.await;
    }

    /// Gives the turn to those who come next in their order.
    async fn pass_on(&self, turns: Turns) {
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

/// An attempt that Postgres refuses in every form, while it takes others, is not recorded: its delivery
/// is tried again when its lease ends.
fn give_up(finished: &AttemptResult, error: &StoreError) {
    metrics::counter!("webhook_attempts_not_recorded_total").increment(1);
    let (id, number) = (finished.attempt.delivery_id, finished.attempt.number);
    log::error!(delivery_id:% = id, attempt = number; "attempt {number} of {id} could not be recorded: {error}");
}

/// How often a statement is tried that Postgres refuses although it is there.
const REFUSALS: usize = 5;

/// Does it, however long Postgres is away. `None`: it was refused again and again while Postgres was
/// there, so that it would be refused for ever.
async fn insist<T, F>(what: &str, mut make: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut refusals = 0;
    loop {
        match make().await {
            Ok(made) => return Some(made),
            Err(error) if error.is_unavailable() => log::warn!("cannot {what} yet: {error}"),
            Err(error) => {
                refusals += 1;
                if refusals == REFUSALS {
                    log::error!("cannot {what}, which is given up: {error}");
                    return None;
                }
                log::warn!("cannot {what} yet: {error}");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// An attempt without any text from outside: with the reason in place of what was said.
fn plain(finished: &AttemptResult, reason: &StoreError) -> AttemptResult {
    let reason = FailureDetail::of(format_args!("what was said could not be stored: {reason}"));
    let failed = finished.attempt.failure_detail.is_some();
    AttemptResult {
        attempt: Attempt {
            failure_detail: failed.then(|| reason.clone()),
            ..finished.attempt.clone()
        },
        exchange: Exchange {
            response_body: reason.as_str().as_bytes().to_vec(),
            ..Exchange::default()
        },
        status_event: finished.status_event.clone().map(|event| StatusEvent {
            reason: reason.into_string(),
            ..event
        }),
        ..finished.clone()
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
