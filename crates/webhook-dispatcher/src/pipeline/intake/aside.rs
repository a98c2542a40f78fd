//! Setting aside: messages other than events go straight into the table of rejected messages.
//!
//! Not by way of the broker, which may refuse publishes while delivering messages
//! (`docs/decisions/0001-set-aside-in-postgres.md`). A message stays unacknowledged until written down;
//! the events around it go on.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use uuid::Uuid;
use webhook_broker::Message;
use webhook_domain::RejectionReason;
use webhook_store::rejected_messages::{NewRejectedMessage, insert};
use webhook_store::{StoreError, acquire, droppable};

use crate::worker::Worker;

/// The pause after messages could not be written down.
const PAUSE_AFTER_WRITE_FAILURE: Duration = Duration::from_millis(500);

/// How long writing messages down may take, as new events wait meanwhile.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

/// Unacknowledged messages to be written down as rejected.
#[derive(Default)]
pub(super) struct Aside {
    waiting: Vec<Waiting>,
    /// When writing is tried again after a failure.
    next_try: Option<Instant>,
}

struct Waiting {
    /// The id of the message's row: the same at every try, so a message has a single row.
    id: Uuid,
    message: Message,
    reason: RejectionReason,
}

impl Aside {
    /// Takes refused messages.
    pub(super) fn add(&mut self, refused: Vec<(Message, RejectionReason)>) {
        let Some((_, first)) = refused.first() else {
            return;
        };
        let count = refused.len();
        log::warn!("{count} messages are no events and are set aside; the first one: {first}");
        let waiting = refused.into_iter().map(|(message, reason)| Waiting {
            id: Uuid::now_v7(),
            message,
            reason,
        });
        self.waiting.extend(waiting);
    }

    /// Waits until the next try is due; for ever if no message waits.
    pub(super) async fn wait(&self) {
        match self.next_try {
            Some(at) if !self.waiting.is_empty() => tokio::time::sleep_until(at).await,
            _ => std::future::pending().await,
        }
    }

    /// Writes the waiting messages down. Returns the delivery tags of the written messages.
    pub(super) async fn write_down(&mut self, worker: &Worker) -> Vec<u64> {
        let is_due = self.next_try.is_none_or(|at| at <= Instant::now());
        if self.waiting.is_empty() || !is_due {
            return Vec::new();
        }
        // A statement waiting for a lock is cut off, together with the connection.
        let writing = droppable(self.try_write_down(worker));
        let Ok(written) = timeout(WRITE_TIMEOUT, writing).await else {
            log::warn!("cannot store rejected messages yet: Postgres takes too long");
            self.next_try = Some(Instant::now() + PAUSE_AFTER_WRITE_FAILURE);
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
                log::warn!("cannot store {count} rejected messages yet: {error}");
                self.next_try = Some(Instant::now() + PAUSE_AFTER_WRITE_FAILURE);
                Vec::new()
            }
        }
    }

    async fn try_write_down(&self, worker: &Worker) -> Result<(), StoreError> {
        let rows = self.waiting.iter().map(|waiting| NewRejectedMessage {
            id: waiting.id,
            reason: &waiting.reason,
            origin: &waiting.message.published_to,
            body: &waiting.message.body,
        });
        let rows: Vec<NewRejectedMessage<'_>> = rows.collect();
        insert(&mut *acquire(&worker.pools.work).await?, &rows).await
    }
}
