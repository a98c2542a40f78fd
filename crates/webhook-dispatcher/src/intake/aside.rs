//! What cannot be an event goes aside: straight into the table of rejected messages.
//!
//! It does not go through the broker again, which may refuse publishes while it hands messages out
//! (`docs/decisions/0001-set-aside-in-postgres.md`). While a message cannot be written down, it
//! stays unacknowledged, and the good ones around it go on.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use uuid::Uuid;
use webhook_broker::Message;
use webhook_domain::RejectionReason;
use webhook_store::rejected_messages::{NewRejectedMessage, insert};
use webhook_store::{StoreError, acquire, droppable};

use crate::Worker;

/// The pause after messages could not be written down.
const PAUSE: Duration = Duration::from_millis(500);

/// How long writing messages down may take.
const WRITES_WITHIN: Duration = Duration::from_secs(2);

/// Messages in hand that are to be written down as rejected.
#[derive(Default)]
pub(super) struct Aside {
    waiting: Vec<Waiting>,
    /// Not before this time; some try has failed.
    next_try: Option<Instant>,
}

struct Waiting {
    /// The id of its row, the same at every try.
    id: Uuid,
    message: Message,
    reason: RejectionReason,
}

impl Aside {
    /// Takes messages that are no events.
    pub(super) fn add(&mut self, refused: Vec<(Message, RejectionReason)>) {
        let Some((_, first)) = refused.first() else {
            return;
        };
        let count = refused.len();
        metrics::counter!("webhook_events_rejected_total").increment(count as u64);
        log::warn!("{count} messages are no events and are set aside; the first one: {first}");
        let waiting = refused.into_iter().map(|(message, reason)| Waiting {
            id: Uuid::now_v7(),
            message,
            reason,
        });
        self.waiting.extend(waiting);
    }

    /// Waits until it is time to try again; for ever if nothing waits.
    pub(super) async fn wait(&self) {
        match self.next_try {
            Some(at) if !self.waiting.is_empty() => tokio::time::sleep_until(at).await,
            _ => std::future::pending().await,
        }
    }

    /// Writes down what waits. Tells the delivery tags of what was written.
    pub(super) async fn write_down(&mut self, worker: &Worker<'_>) -> Vec<u64> {
        let is_due = self.next_try.is_none_or(|at| at <= Instant::now());
        if self.waiting.is_empty() || !is_due {
            return Vec::new();
        }
        // The good ones wait for this meanwhile, so it must not wait for somebody's lock.
        let writing = droppable(self.try_write_down(worker));
        let Ok(written) = timeout(WRITES_WITHIN, writing).await else {
            log::warn!("rejected messages wait to be written down: Postgres takes too long");
            self.next_try = Some(Instant::now() + PAUSE);
            return Vec::new();
        };
        match written {
            Ok(()) => {
                self.next_try = None;
                let written = self.waiting.drain(..);
                written
                    .map(|waiting| waiting.message.delivery_tag)
                    .collect()
            }
            Err(error) => {
                let count = self.waiting.len();
                log::warn!("{count} rejected messages wait to be written down: {error}");
                self.next_try = Some(Instant::now() + PAUSE);
                Vec::new()
            }
        }
    }

    async fn try_write_down(&self, worker: &Worker<'_>) -> Result<(), StoreError> {
        let rows = self.waiting.iter().map(|waiting| NewRejectedMessage {
            id: waiting.id,
            reason: &waiting.reason,
            origin: &waiting.message.published_to,
            body: &waiting.message.body,
        });
        let rows: Vec<NewRejectedMessage<'_>> = rows.collect();
        insert(&mut *acquire(worker.pool).await?, &rows).await
    }
}
