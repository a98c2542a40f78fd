//! A lane per webhook, so that a webhook that hangs fills only its own.
//!
//! A lane is two queues and a number of runners. A runner makes one attempt after the other and ends
//! when there is nothing left; a lane without any is forgotten. What waits in lanes is bounded per
//! webhook, and in number and bytes for all together; what has no room waits in Postgres.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use webhook_domain::WebhookId;
use webhook_store::claims::hand_back;
use webhook_store::{LeasedDelivery, LeasedFrom, Pool, acquire};

use crate::Settings;
use crate::courier::Courier;
use crate::destinations::Destinations;

mod hold;
mod in_hand;
mod lane;
mod pace;
mod queues;
mod room;
mod speed;

use in_hand::{InHand, Turn};
use lane::LANE_CAPACITY;
pub(crate) use room::For;
use room::Room;

/// How long new events wait at most for lanes that will have room in no time.
const MOMENT: Duration = Duration::from_millis(50);

/// How often we look whether they have.
const LOOK: Duration = Duration::from_millis(5);

/// When work stops.
#[derive(Debug, Clone, Default)]
pub struct Stops {
    /// Begin nothing more.
    pub cancel: CancellationToken,
    /// Cut off what is still running.
    pub deadline: CancellationToken,
}

/// Every lane of this worker.
pub(crate) struct Lanes {
    in_hand: Mutex<InHand>,
    courier: Courier,
    destinations: Destinations,
    pool: Pool,
    concurrency: usize,
    aside: Mutex<Vec<LeasedDelivery>>,
    more: Notify,
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
    ) -> Arc<Self> {
        Arc::new(Self {
            in_hand: Mutex::default(),
            courier,
            destinations: Destinations::new(
                pool.clone(),
                settings.key.clone(),
                settings.addresses.clone(),
            ),
            pool,
            concurrency: settings.lane_concurrency,
            aside: Mutex::default(),
            more: Notify::new(),
            tasks: tasks.clone(),
            stops,
        })
    }

    /// What there is room for now.
    pub(crate) fn room(&self, whose: For) -> Room {
        self.in_hand().room(whose, self.concurrency)
    }

    /// For how many new events there is room in the lanes that are fast, however many of them want
    /// each. Waits a moment for it: what has no room is written to the backlog and read again, which
    /// costs more. Lanes that are not fast are not waited for.
    pub(crate) async fn wait_for_room(&self) -> usize {
        let room = async {
            loop {
                let room = self.in_hand().room_worth_waiting_for();
                if room >= LANE_CAPACITY / 2 {
                    return room;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(MOMENT, room)
            .await
            .unwrap_or(usize::MAX)
    }

    /// Puts deliveries into their webhooks' lanes, and gives back what has no room.
    pub(crate) async fn offer(self: &Arc<Self>, leased: Vec<LeasedDelivery>) {
        let wanted = leased.iter().map(|l| (l.webhook_id, l.webhook_version));
        self.destinations.learn(wanted).await;
        let (starting, too_many) = self.in_hand().take_all(leased, self.concurrency);
        for webhook_id in starting {
            self.start_runner(webhook_id);
        }
        self.set_aside(too_many);
        self.hand_back_aside().await;
    }

    /// The webhooks that have something in hand.
    pub(crate) fn open(&self) -> Vec<WebhookId> {
        self.in_hand().open()
    }

    /// Forgets lanes that are over.
    pub(crate) fn forget_idle(&self) {
        self.in_hand().forget_idle();
    }

    /// Lets what waits be sent as its webhook is now, where it was read before these versions.
    pub(crate) fn forget_older(&self, versions: &[(WebhookId, i64)]) {
        self.destinations.forget_older(versions);
    }

    /// Gives back what waits for webhooks that get no more; what runs goes on.
    pub(crate) async fn flush(&self, webhook_ids: &[WebhookId]) {
        self.empty(webhook_ids, |_| true).await;
    }

    /// Gives back what waits for webhooks whose circuit is open, but for its probe.
    pub(crate) async fn flush_but_probes(&self, webhook_ids: &[WebhookId]) {
        self.empty(webhook_ids, |l| l.leased_from != LeasedFrom::Probe)
            .await;
    }

    /// Lets nothing more go to receivers that are held until these times, and gives back what waits
    /// for them. Tests go.
    pub(crate) async fn hold(&self, held: &[(WebhookId, DateTime<Utc>)]) {
        let now = Utc::now();
        let mut waiting = Vec::new();
        {
            let mut in_hand = self.in_hand();
            for (webhook_id, until) in held {
                if let Ok(time) = (*until - now).to_std() {
                    waiting.extend(in_hand.hold(*webhook_id, time));
                }
            }
        }
        self.set_aside(waiting);
        self.hand_back_aside().await;
    }

    /// Says that whoever reads Postgres from now on knows what these webhooks' receivers asked for.
    pub(crate) fn settle_holds(&self, webhook_ids: &[WebhookId]) {
        self.in_hand().settle_holds(webhook_ids);
    }

    /// Ends the holds of lanes other than these, which is what Postgres had at `asked_at`.
    pub(crate) fn end_holds(
        self: &Arc<Self>,
        held: &[(WebhookId, DateTime<Utc>)],
        asked_at: Instant,
    ) {
        let held: HashSet<WebhookId> = held.iter().map(|(webhook_id, _)| *webhook_id).collect();
        let starting = self.in_hand().end_holds(|id| held.contains(id), asked_at);
        for webhook_id in starting {
            self.start_runner(webhook_id);
        }
    }

    /// Gives back everything that waits, and begins nothing more.
    pub(crate) async fn close(&self) {
        self.in_hand().close();
        self.flush(&self.open()).await;
    }

    /// Waits until somebody says that there may be more to claim.
    pub(crate) async fn more_to_claim(&self) {
        self.more.notified().await;
    }

    /// Says that there may be more to claim.
    pub(crate) fn look_for_more(&self) {
        self.more.notify_one();
    }

    /// Gives back what is aside: due at once, for whoever has room. A failure here is harmless:
    /// the lease ends by itself.
    pub(crate) async fn hand_back_aside(&self) {
        let leased = {
            let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *aside)
        };
        if leased.is_empty() {
            return;
        }
        let given = async {
            let mut connection = acquire(&self.pool).await?;
            hand_back(&mut connection, &leased).await
        };
        if let Err(error) = given.await {
            let count = leased.len();
            log::warn!("{count} deliveries wait for their lease to end: {error}");
        }
    }

    async fn empty(&self, webhook_ids: &[WebhookId], which: fn(&LeasedDelivery) -> bool) {
        for webhook_id in webhook_ids {
            let waiting = self.in_hand().empty(*webhook_id, which);
            self.set_aside(waiting);
        }
        self.hand_back_aside().await;
    }

    async fn give_back(&self, leased: LeasedDelivery) {
        self.set_aside([leased]);
        // After the drain's time they are all handed back together, at the very end.
        if !self.stops.deadline.is_cancelled() {
            self.hand_back_aside().await;
        }
    }

    fn set_aside(&self, leased: impl IntoIterator<Item = LeasedDelivery>) {
        let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        aside.extend(leased);
    }

    fn in_hand(&self) -> MutexGuard<'_, InHand> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_runner(self: &Arc<Self>, webhook_id: WebhookId) {
        self.tasks.spawn(run(self.clone(), webhook_id));
    }

    /// One attempt, if it can be made in time. When the drain's time is over it is cut off and
    /// costs nothing: it is made again.
    async fn attempt(&self, leased: &LeasedDelivery) -> Turn {
        tokio::select! {
            turn = self.attempt_unbounded(leased) => turn,
            () = self.stops.deadline.cancelled() => Turn::NotMade,
        }
    }

    async fn attempt_unbounded(&self, leased: &LeasedDelivery) -> Turn {
        let found = self
            .destinations
            .find(leased.webhook_id, leased.webhook_version);
        let recipient = match found.await {
            Ok(Some(recipient)) => recipient,
            Ok(None) => return Turn::NotPossible("it is not there".to_owned()),
            Err(error) => return Turn::NotPossible(error.to_string()),
        };
        // Asked last, as reading the destination takes time too.
        if self
            .courier
            .comes_too_late(&recipient.destination, leased, Utc::now())
        {
            return Turn::NotMade;
        }
        match self.courier.deliver(&recipient, leased).await {
            Ok(outcome) => Turn::Made(outcome),
            Err(failure) => Turn::NotPossible(failure.detail.into_string()),
        }
    }
}

/// A runner: one attempt after the other for one webhook.
async fn run(lanes: Arc<Lanes>, webhook_id: WebhookId) {
    loop {
        let next = lanes.in_hand().next(webhook_id);
        let Some(leased) = next else { return };
        let turn = lanes.attempt(&leased).await;
        let news = lanes.in_hand().finish(&leased, &turn);
        if news.wants_more {
            lanes.look_for_more();
        }
        if news.starts_runner {
            lanes.start_runner(webhook_id);
        }
        match turn {
            Turn::Made(_) => {}
            Turn::NotMade => lanes.give_back(leased).await,
            Turn::NotPossible(why) => {
                if news.rests {
                    log::error!(webhook_id:% = webhook_id; "cannot deliver to webhook {webhook_id}: {why}");
                }
                lanes.give_back(leased).await;
                lanes.flush(&[webhook_id]).await;
            }
        }
    }
}
