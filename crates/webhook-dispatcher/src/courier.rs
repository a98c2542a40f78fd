//! The courier: a lane per webhook, so that a webhook that hangs fills only its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use webhook_domain::{DeliveryId, Event, Outcome, RetryPolicy, Verdict, WebhookId, decide};
use webhook_store::attempts::{AttemptResult, NextState};
use webhook_store::claims::{LaneRoom, hand_back};
use webhook_store::webhooks::{Destination, list_destinations};
use webhook_store::{Pool, SealingKey, StoreError, acquire};

use crate::recorder::{Finished, Results};
use crate::request::{self, Answer};
use crate::{Settings, target};

/// How many deliveries of one webhook wait in memory; further ones wait in Postgres.
pub(crate) const LANE_CAPACITY: usize = 256;

/// A delivery that is ours until its lease ends.
pub(crate) struct Leased {
    pub(crate) id: DeliveryId,
    pub(crate) webhook_id: WebhookId,
    pub(crate) webhook_version: i64,
    pub(crate) attempts: i32,
    pub(crate) event: Event,
    pub(crate) lease_until: DateTime<Utc>,
}

/// Hands deliveries to lanes, and makes lanes as they are wanted.
pub(crate) struct Courier {
    lanes: Mutex<HashMap<WebhookId, mpsc::Sender<Leased>>>,
    refused: Mutex<Vec<Leased>>,
    shared: Arc<Shared>,
    attempts: TaskTracker,
    cancel: CancellationToken,
}

/// What every lane uses.
struct Shared {
    client: reqwest::Client,
    pool: Pool,
    key: SealingKey,
    addresses: webhook_domain::AddressPolicy,
    policy: RetryPolicy,
    timeout: Duration,
    lane_concurrency: usize,
    results: Results,
}

impl Courier {
    pub(crate) fn new(
        settings: &Settings,
        pool: Pool,
        results: Results,
        attempts: &TaskTracker,
        cancel: &CancellationToken,
    ) -> reqwest::Result<Self> {
        Ok(Self {
            lanes: Mutex::default(),
            refused: Mutex::default(),
            shared: Arc::new(Shared {
                client: target::client(&settings.addresses)?,
                pool,
                key: settings.key.clone(),
                addresses: settings.addresses.clone(),
                policy: settings.policy.clone(),
                // A lease outlives the longest attempt, with as much again to record it.
                timeout: settings.policy.timeout.min(settings.lease / 2),
                lane_concurrency: settings.lane_concurrency,
                results,
            }),
            attempts: attempts.clone(),
            cancel: cancel.clone(),
        })
    }

    /// Puts a delivery into its webhook's lane, or aside when the lane is full.
    pub(crate) fn offer(&self, leased: Leased) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes
            .entry(leased.webhook_id)
            .or_insert_with(|| self.open_lane());
        if let Err(full) = lane.try_send(leased) {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.push(full.into_inner());
        }
    }

    /// The room of every lane that is open.
    pub(crate) fn room(&self) -> Vec<LaneRoom> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let room = lanes.iter().map(|(webhook_id, lane)| LaneRoom {
            webhook_id: *webhook_id,
            free: i32::try_from(lane.capacity()).unwrap_or(i32::MAX),
        });
        room.collect()
    }

    /// Gives back what no lane had room for: due at once, for whoever has room.
    pub(crate) async fn hand_back_refused(&self) {
        let refused = {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *refused)
        };
        give_back(&self.shared.pool, &refused).await;
    }

    fn open_lane(&self) -> mpsc::Sender<Leased> {
        let (sender, receiver) = mpsc::channel(LANE_CAPACITY);
        let lane = run_lane(
            self.shared.clone(),
            receiver,
            self.attempts.clone(),
            self.cancel.clone(),
        );
        self.attempts.spawn(lane);
        sender
    }
}

/// A failure here is harmless: the lease ends by itself.
async fn give_back(pool: &Pool, leased: &[Leased]) {
    if leased.is_empty() {
        return;
    }
    let ids: Vec<_> = leased.iter().map(|l| l.id).collect();
    let attempts: Vec<_> = leased.iter().map(|l| l.attempts).collect();
    let leases: Vec<_> = leased.iter().map(|l| l.lease_until).collect();
    let given = async {
        let mut connection = acquire(pool).await?;
        hand_back(&mut connection, &ids, &attempts, &leases).await
    };
    if let Err(error) = given.await {
        log::warn!(
            "{} deliveries wait for their lease to end: {error}",
            ids.len()
        );
    }
}

/// Tries a webhook's deliveries, some at once, until asked to stop; then gives the rest back.
async fn run_lane(
    shared: Arc<Shared>,
    mut queue: mpsc::Receiver<Leased>,
    attempts: TaskTracker,
    cancel: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(shared.lane_concurrency));
    let mut destination: Option<Arc<Destination>> = None;
    loop {
        let next = tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            next = async {
                let permit = permits.clone().acquire_owned().await.ok()?;
                Some((permit, queue.recv().await?))
            } => next,
        };
        let Some((permit, leased)) = next else { break };
        if leased.lease_until - Utc::now() < time_delta(shared.timeout) {
            give_back(&shared.pool, &[leased]).await;
            continue;
        }
        let known = destination
            .take()
            .filter(|d| d.version >= leased.webhook_version);
        let found = match known {
            Some(known) => Some(known),
            None => read_destination(&shared, leased.webhook_id).await,
        };
        let Some(found) = found else { continue };
        destination = Some(found.clone());
        let shared = shared.clone();
        attempts.spawn(async move {
            deliver(&shared, &found, leased).await;
            drop(permit);
        });
    }
    queue.close();
    let mut rest = Vec::new();
    while let Some(leased) = queue.recv().await {
        rest.push(leased);
    }
    give_back(&shared.pool, &rest).await;
}

fn time_delta(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}

/// Reads where a webhook's requests go. `None`: it cannot be read now, its leases end by
/// themselves.
async fn read_destination(shared: &Shared, id: WebhookId) -> Option<Arc<Destination>> {
    let read = async {
        let mut connection = acquire(&shared.pool).await?;
        let mut found = list_destinations(&mut connection, &shared.key, &[id]).await?;
        Ok::<_, StoreError>(found.pop())
    };
    match read.await {
        Ok(found) => found.map(Arc::new),
        Err(error) => {
            log::error!(webhook_id:% = id; "cannot read webhook {id}: {error}");
            None
        }
    }
}

/// One attempt: request, answer, verdict.
async fn deliver(shared: &Shared, destination: &Destination, leased: Leased) {
    let number = leased.attempts + 1;
    let (client, addresses) = (&shared.client, &shared.addresses);
    let answer = request::attempt(client, addresses, destination, &leased, shared.timeout).await;
    let Answer { attempt, outcome } = answer;
    log_outcome(&leased, number, outcome);
    let verdict = decide(
        outcome,
        number.unsigned_abs(),
        &shared.policy,
        rand::random(),
    );
    let next = match verdict {
        Verdict::Succeed => NextState::Succeeded,
        Verdict::Retry(delay) => NextState::RetryAt(Utc::now() + delay),
        Verdict::GiveUp | Verdict::Disable => NextState::Failed,
    };
    let finished = Finished {
        result: AttemptResult { attempt, next },
        disable: (verdict == Verdict::Disable).then_some(leased.webhook_id),
    };
    if shared.results.send(finished).await.is_err() {
        log::error!("the recorder is gone; the delivery is tried again when its lease ends");
    }
}

fn log_outcome(leased: &Leased, number: i32, outcome: Outcome) {
    let (id, webhook_id) = (leased.id, leased.webhook_id);
    match outcome {
        Outcome::Accepted => {
            log::debug!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "delivered {id}");
        }
        Outcome::Gone => {
            log::warn!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "webhook {webhook_id} is gone");
        }
        Outcome::Failed { class, .. } => {
            log::info!(delivery_id:% = id, webhook_id:% = webhook_id, attempt = number; "attempt {number} of {id} failed: {class}");
        }
    }
}
