//! The backlog: deliveries due in Postgres, waiting for room in a lane of any worker. The worker's outlets
//! to Postgres: hand-backs, turns of ordering keys, and the signal to claim.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use webhook_store::claims::hand_back;
use webhook_store::ordering::{Turns, release_heads};
use webhook_store::{LeasedDelivery, Pool, acquire};

/// Deliveries on the way back to the backlog, and the signal to claim.
pub(crate) struct Backlog {
    pool: Pool,
    /// Deliveries to be handed back. The leases run on meanwhile.
    to_hand_back: Mutex<Vec<LeasedDelivery>>,
    claim_soon: Notify,
}

impl Backlog {
    pub(crate) fn new(pool: Pool) -> Self {
        Self {
            pool,
            to_hand_back: Mutex::default(),
            claim_soon: Notify::new(),
        }
    }

    /// Waits for [`wake_claims`](Self::wake_claims). A call since the last wait counts, too.
    pub(crate) async fn claims_woken(&self) {
        self.claim_soon.notified().await;
    }

    /// Lets the claims look at once, as there may be more to claim.
    pub(crate) fn wake_claims(&self) {
        self.claim_soon.notify_one();
    }

    /// Queues deliveries for the next [`hand_back_queued`](Self::hand_back_queued).
    pub(crate) fn queue_hand_back(&self, leased: impl IntoIterator<Item = LeasedDelivery>) {
        let mut to_hand_back = self
            .to_hand_back
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        to_hand_back.extend(leased);
    }

    /// Hands back all queued deliveries: due at once, for any worker with room.
    pub(crate) async fn hand_back_queued(&self) {
        let leased = {
            let mut to_hand_back = self
                .to_hand_back
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *to_hand_back)
        };
        if leased.is_empty() {
            return;
        }
        let handed_back = async {
            let mut connection = acquire(&self.pool).await?;
            hand_back(&mut connection, &leased).await
        };
        // A failure is harmless: when the leases end, the deliveries are due.
        if let Err(error) = handed_back.await {
            let count = leased.len();
            log::warn!(
                "cannot hand back {count} deliveries, which become due when their leases end: {error}"
            );
        }
    }

    /// Makes the next delivery of each ordering key due, and wakes the claims. To be called after the
    /// commit of a delivery's end, or of a new delivery.
    pub(crate) async fn release_turns(&self, turns: Turns) {
        if turns.is_empty() {
            return;
        }
        let keys = turns.len();
        let released = async {
            let mut connection = acquire(&self.pool).await?;
            release_heads(&mut connection, turns).await
        };
        // A failure loses no delivery: the keys are stuck until found by the sweep for missed turns.
        if let Err(error) = released.await {
            log::warn!(
                "cannot release {keys} ordering keys; the sweep releases them later: {error}"
            );
        }
        self.wake_claims();
    }
}
