//! Lanes: one per webhook, so a hanging webhook fills no lane but its own. Here are the lock of the
//! [table](LaneTable), and the hand-backs that need Postgres.
//!
//! A lane is two queues and a number of [runners](super::runner). The waiting deliveries are bounded per
//! webhook, and in number and bytes for all lanes together; a delivery without room waits in Postgres.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};
use webhook_domain::{JudgedAnswer, WebhookId};
use webhook_store::{LeasedDelivery, LeasedFrom};

use super::backlog::Backlog;

mod fast;
mod hold;
mod lane;
mod pace;
mod queues;
mod room;
mod table;
mod totals;

use room::Room;
pub(crate) use room::RoomFor;
use table::LaneTable;
pub(crate) use table::Offered;
pub(crate) use totals::{LaneLimit, LaneTotals};

/// Every lane of this worker.
pub(crate) struct Lanes {
    table: Mutex<LaneTable>,
    backlog: Arc<Backlog>,
    /// How many requests may run at once for a webhook without a limit.
    default_concurrency: usize,
}

/// How an assignment ended. An assignment is a delivery that a lane handed to a runner.
pub(crate) enum AssignmentEnd {
    /// The attempt was made.
    Attempted(JudgedAnswer),
    /// No attempt was made, and the delivery goes back.
    NotAttempted,
    /// No attempt can be made, with the reason. The delivery goes back, and the lane rests for a while:
    /// with a sealed secret, or in a process without free files, the delivery would go round without a
    /// pause.
    Impossible(String),
}

impl Lanes {
    pub(crate) fn new(backlog: Arc<Backlog>, default_concurrency: usize) -> Self {
        Self {
            table: Mutex::default(),
            backlog,
            default_concurrency,
        }
    }

    /// How many deliveries there is room for now.
    pub(crate) fn room(&self, room_for: RoomFor) -> Room {
        self.table().room(room_for, self.default_concurrency)
    }

    /// Counts lanes, their deliveries, and the reasons why deliveries wait.
    pub(crate) fn totals(&self) -> LaneTotals {
        self.table().totals()
    }

    /// The webhooks whose receivers ask for less.
    pub(crate) fn restrained_webhooks(&self) -> Vec<WebhookId> {
        self.table().restrained_webhooks()
    }

    /// How many new events the intake should read now, see [`fast`]. `None`: no limit.
    pub(crate) async fn wait_for_room(&self) -> Option<usize> {
        fast::wait_for_room(|| self.table().room_of_fast_lanes()).await
    }

    /// Puts deliveries into lanes.
    pub(crate) fn take_all(&self, leased: Vec<LeasedDelivery>) -> Offered {
        self.table().take_all(leased, self.default_concurrency)
    }

    /// The next assignment of a runner of the webhook's lane. `None` ends the runner.
    pub(crate) fn next(&self, webhook_id: WebhookId) -> Option<LeasedDelivery> {
        self.table().next(webhook_id)
    }

    /// Takes note of the end of an assignment. Returns whether one more runner of the lane is to be
    /// started.
    pub(crate) fn finish(&self, leased: &LeasedDelivery, end: &AssignmentEnd) -> bool {
        let mut table = self.table();
        if let AssignmentEnd::Attempted(answer) = end {
            table.observe(answer);
        }
        let Some(lane) = table.count_out_finished(leased) else {
            return false;
        };
        match end {
            AssignmentEnd::Attempted(answer) => lane.observe(answer, leased.leased_from),
            AssignmentEnd::NotAttempted => {}
            AssignmentEnd::Impossible(reason) => {
                // Logged once per rest, not once per delivery.
                if lane.rest() {
                    let id = leased.webhook_id;
                    log::error!(webhook_id:% = id; "cannot deliver to webhook {id}: {reason}");
                }
            }
        }
        if lane.wants_more() {
            self.backlog.wake_claims();
        }
        // The finished runner takes a queued delivery itself.
        lane.queued() > 1 && lane.start_runner()
    }

    /// Whether no webhook at Discord is to get a request now. Then the webhook's lane is held for as long, and
    /// claims nothing.
    pub(crate) fn is_held_at_discord(&self, webhook_id: WebhookId) -> bool {
        self.table().is_held_at_discord(webhook_id)
    }

    /// The webhooks whose lanes are open: in use, slowed, held, or fast until just now.
    pub(crate) fn webhook_ids(&self) -> Vec<WebhookId> {
        self.table().webhook_ids()
    }

    /// Forgets empty lanes no different from new ones.
    pub(crate) fn forget_idle(&self) {
        self.table().forget_idle();
    }

    /// Hands back all deliveries waiting for the webhooks; running attempts go on.
    pub(crate) async fn hand_back(&self, webhook_ids: &[WebhookId]) {
        self.hand_back_waiting(webhook_ids, |_| true).await;
    }

    /// Hands back all deliveries but probes waiting for webhooks with an open circuit.
    pub(crate) async fn hand_back_all_but_probes(&self, webhook_ids: &[WebhookId]) {
        let is_no_probe = |leased: &LeasedDelivery| leased.leased_from != LeasedFrom::Probe;
        self.hand_back_waiting(webhook_ids, is_no_probe).await;
    }

    /// Holds lanes until the given times, and hands back the deliveries waiting there. Tests go on.
    pub(crate) async fn hold(&self, held: &[(WebhookId, DateTime<Utc>)]) {
        let now = Utc::now();
        let mut waiting = Vec::new();
        {
            let mut table = self.table();
            for (webhook_id, until) in held {
                if let Ok(time) = (*until - now).to_std() {
                    waiting.extend(table.hold(*webhook_id, time));
                }
            }
        }
        self.backlog.queue_hand_back(waiting);
        self.backlog.hand_back_queued().await;
    }

    /// Marks the holds of these lanes as written to Postgres: every later read of Postgres finds them.
    pub(crate) fn mark_holds_stored(&self, webhook_ids: &[WebhookId]) {
        self.table().mark_holds_stored(webhook_ids);
    }

    /// Ends the holds of all lanes but `held`, the holds in Postgres at `asked_at`. Returns the webhooks
    /// in need of runners, an entry for each runner.
    #[must_use]
    pub(crate) fn end_holds(
        &self,
        held: &[(WebhookId, DateTime<Utc>)],
        asked_at: Instant,
    ) -> Vec<WebhookId> {
        let held: HashSet<WebhookId> = held.iter().map(|(webhook_id, _)| *webhook_id).collect();
        self.table().end_holds(|id| held.contains(id), asked_at)
    }

    /// Takes no more deliveries, and hands back all waiting ones.
    pub(crate) async fn close(&self) {
        // First, so no delivery comes in behind the hand-back.
        self.table().close();
        self.hand_back(&self.webhook_ids()).await;
    }

    async fn hand_back_waiting(
        &self,
        webhook_ids: &[WebhookId],
        which: fn(&LeasedDelivery) -> bool,
    ) {
        for webhook_id in webhook_ids {
            let waiting = self.table().take_waiting(*webhook_id, which);
            self.backlog.queue_hand_back(waiting);
        }
        self.backlog.hand_back_queued().await;
    }

    fn table(&self) -> MutexGuard<'_, LaneTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
