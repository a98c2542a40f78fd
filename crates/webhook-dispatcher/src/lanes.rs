//! A lane per webhook, so that a webhook that hangs fills only its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use webhook_domain::{DeliveryId, Event, WebhookId};
use webhook_store::claims::{LaneRoom, hand_back};
use webhook_store::webhooks::Destination;
use webhook_store::{Pool, acquire};

use crate::Settings;
use crate::courier::Courier;
use crate::destinations::Destinations;

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

/// When lanes stop.
#[derive(Clone)]
pub(crate) struct Stops {
    /// Begin nothing more.
    pub(crate) cancel: CancellationToken,
    /// Cut off what is still running.
    pub(crate) deadline: CancellationToken,
}

/// Hands deliveries to lanes, and makes lanes as they are wanted.
pub(crate) struct Lanes {
    open: Mutex<HashMap<WebhookId, Lane>>,
    shared: Arc<Shared>,
}

struct Lane {
    queue: mpsc::Sender<Leased>,
    /// Whether the lane was full, so that more may wait in Postgres.
    was_full: Arc<AtomicBool>,
}

/// What every lane uses.
struct Shared {
    courier: Courier,
    destinations: Destinations,
    pool: Pool,
    concurrency: usize,
    aside: Mutex<Vec<Leased>>,
    room_again: Notify,
    tasks: TaskTracker,
    stops: Stops,
}

impl Lanes {
    pub(crate) fn new(
        settings: &Settings,
        pool: Pool,
        courier: Courier,
        tasks: &TaskTracker,
        stops: Stops,
    ) -> Self {
        let shared = Shared {
            courier,
            destinations: Destinations::new(pool.clone(), settings.key.clone()),
            pool,
            concurrency: settings.lane_concurrency,
            aside: Mutex::default(),
            room_again: Notify::new(),
            tasks: tasks.clone(),
            stops,
        };
        Self {
            open: Mutex::default(),
            shared: Arc::new(shared),
        }
    }

    /// Puts a delivery into its webhook's lane, or aside when the lane is full or closed.
    pub(crate) fn offer(&self, leased: Leased) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = open
            .entry(leased.webhook_id)
            .or_insert_with(|| self.open_lane());
        let refused = lane.queue.try_send(leased).err();
        if lane.queue.capacity() == 0 {
            lane.was_full.store(true, Ordering::Relaxed);
        }
        if let Some(refused) = refused {
            self.shared.set_aside([refused.into_inner()]);
        }
    }

    /// The room of every lane that is open.
    pub(crate) fn room(&self) -> Vec<LaneRoom> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let room = open.iter().map(|(webhook_id, lane)| LaneRoom {
            webhook_id: *webhook_id,
            free: i32::try_from(lane.queue.capacity()).unwrap_or(i32::MAX),
        });
        room.collect()
    }

    /// Waits until a lane that was full has room again.
    pub(crate) async fn room_again(&self) {
        self.shared.room_again.notified().await;
    }

    /// Gives back what no lane had room for: due at once, for whoever has room.
    pub(crate) async fn hand_back_aside(&self) {
        self.shared.hand_back_aside().await;
    }

    fn open_lane(&self) -> Lane {
        let (queue, receiver) = mpsc::channel(LANE_CAPACITY);
        let was_full = Arc::new(AtomicBool::new(false));
        let lane = run_lane(self.shared.clone(), receiver, was_full.clone());
        self.shared.tasks.spawn(lane);
        Lane { queue, was_full }
    }
}

impl Shared {
    fn set_aside(&self, leased: impl IntoIterator<Item = Leased>) {
        let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        aside.extend(leased);
    }

    /// A failure here is harmless: the lease ends by itself.
    async fn hand_back_aside(&self) {
        let leased = {
            let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *aside)
        };
        if leased.is_empty() {
            return;
        }
        let ids: Vec<_> = leased.iter().map(|l| l.id).collect();
        let attempts: Vec<_> = leased.iter().map(|l| l.attempts).collect();
        let leases: Vec<_> = leased.iter().map(|l| l.lease_until).collect();
        let given = async {
            let mut connection = acquire(&self.pool).await?;
            hand_back(&mut connection, &ids, &attempts, &leases).await
        };
        if let Err(error) = given.await {
            let count = ids.len();
            log::warn!("{count} deliveries wait for their lease to end: {error}");
        }
    }

    /// `None`: it cannot be read now, the lease ends by itself. Handing it back would make a
    /// secret that cannot be opened go round without a pause.
    async fn destination(&self, leased: &Leased) -> Option<Arc<Destination>> {
        let id = leased.webhook_id;
        match self.destinations.find(id, leased.webhook_version).await {
            Ok(found) => found,
            Err(error) => {
                log::error!(webhook_id:% = id; "cannot read webhook {id}: {error}");
                None
            }
        }
    }
}

/// Tries a webhook's deliveries, some at once, until asked to stop; then gives the rest back.
async fn run_lane(
    shared: Arc<Shared>,
    mut queue: mpsc::Receiver<Leased>,
    was_full: Arc<AtomicBool>,
) {
    let permits = Arc::new(Semaphore::new(shared.concurrency));
    let cancel = shared.stops.cancel.clone();
    loop {
        let next = tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            next = next_with_permit(&permits, &mut queue) => next,
        };
        let Some((permit, leased)) = next else { break };
        if queue.len() <= LANE_CAPACITY / 2 && was_full.swap(false, Ordering::Relaxed) {
            shared.room_again.notify_one();
        }
        let Some(destination) = shared.destination(&leased).await else {
            continue;
        };
        // Asked last, as reading the destination takes time too.
        if shared.courier.comes_too_late(&leased, Utc::now()) || cancel.is_cancelled() {
            shared.set_aside([leased]);
            continue;
        }
        let attempt = attempt(shared.clone(), destination, leased, permit);
        shared.tasks.spawn(attempt);
    }
    queue.close();
    while let Some(leased) = queue.recv().await {
        shared.set_aside([leased]);
    }
    shared.hand_back_aside().await;
}

async fn next_with_permit(
    permits: &Arc<Semaphore>,
    queue: &mut mpsc::Receiver<Leased>,
) -> Option<(OwnedSemaphorePermit, Leased)> {
    let permit = permits.clone().acquire_owned().await.ok()?;
    Some((permit, queue.recv().await?))
}

/// One attempt. When the drain's time is over it is cut off and costs nothing: it is made again.
async fn attempt(
    shared: Arc<Shared>,
    destination: Arc<Destination>,
    leased: Leased,
    _permit: OwnedSemaphorePermit,
) {
    let cut_off = tokio::select! {
        () = shared.courier.deliver(&destination, &leased) => false,
        () = shared.stops.deadline.cancelled() => true,
    };
    if cut_off {
        shared.set_aside([leased]);
    }
}
