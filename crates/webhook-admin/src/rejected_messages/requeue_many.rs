//! Requeues all rejected messages of a selection.

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_broker::{PublishError, Publisher};
use webhook_domain::AuditAction;
use webhook_store::rejected_messages::{self, RejectedMessage, RejectedMessageFilter};
use webhook_store::{audit, transaction};

use super::requeue::published_to;
use super::selection::{SelectRejectedMessages, audit_entry};
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// The most messages per request, so that the response comes within the client's timeout. Further
/// messages remain for the next request.
const MAX_REQUEUED: i64 = 10_000;

/// The most messages published at once.
const BATCH_MESSAGES: i64 = 500;

/// The most bytes of bodies in memory at once.
const BATCH_BYTES: usize = 16 * 1_024 * 1_024;

/// The result of requeueing messages.
#[derive(Serialize, ToSchema)]
pub struct RejectedMessagesRequeued {
    /// The number of messages confirmed by the broker; with `dry_run` the number to be requeued.
    pub requeued: i64,
    /// The number of messages that remain: beyond the first 10,000, too large, or not confirmed because
    /// the broker went away.
    pub remaining: i64,
    /// The end of the selection. Send the same `until` again to go on with the remaining messages, without
    /// the ones rejected again.
    pub until: DateTime<Utc>,
}

/// Puts up to 10,000 messages back into the queue of events, the oldest first.
pub async fn requeue_rejected_messages(
    selection: &SelectRejectedMessages,
    caller: &Caller,
    connections: &Connections,
    publisher: &Publisher,
) -> Result<RejectedMessagesRequeued, Refusal> {
    let mut filter = selection.filter();
    let mut connection = connections.acquire().await?;
    // A message rejected again is younger than `until`, so the request does not take it a second time.
    let clock = rejected_messages::clock(&mut connection).await?;
    let until = filter.until.map_or(clock, |until| until.min(clock));
    filter.until = Some(until);
    let selected = rejected_messages::count(&mut connection, &filter).await?;
    drop(connection);
    let requeued = if selection.dry_run {
        selected.whole.min(MAX_REQUEUED)
    } else {
        let requeueing = Requeueing {
            filter: &filter,
            caller,
            connections,
            publisher,
        };
        requeueing.run().await?
    };
    Ok(RejectedMessagesRequeued {
        requeued,
        remaining: (selected.all - requeued).max(0),
        until,
    })
}

/// A request to requeue messages.
struct Requeueing<'a> {
    filter: &'a RejectedMessageFilter,
    caller: &'a Caller,
    connections: &'a Connections,
    publisher: &'a Publisher,
}

impl Requeueing<'_> {
    /// Requeues batch by batch, and returns the number of messages. Ends early when the broker fails; an
    /// error only if no message was requeued before.
    async fn run(&self) -> Result<i64, Refusal> {
        let (mut requeued, mut after) = (0, None);
        while requeued < MAX_REQUEUED {
            let size = (BATCH_MESSAGES.min(MAX_REQUEUED - requeued), BATCH_BYTES);
            let mut connection = self.connections.acquire().await?;
            let filter = self.filter;
            let batch = rejected_messages::list_whole(&mut connection, filter, after, size).await?;
            // The connection is back in the pool while the broker confirms.
            drop(connection);
            let Some((last, _)) = batch.last() else {
                break;
            };
            after = Some(last.id);
            let (confirmed, failed) = self.publish(&batch).await;
            requeued += self.delete(&confirmed).await?;
            match failed {
                Some(error) if requeued == 0 => return Err(error.into()),
                Some(error) => {
                    log::warn!("not all rejected messages were requeued: {error}");
                    break;
                }
                None => {}
            }
        }
        Ok(requeued)
    }

    /// Publishes a batch at once. Returns the confirmed ids, and the error of an unconfirmed message.
    async fn publish(
        &self,
        batch: &[(RejectedMessage, Vec<u8>)],
    ) -> (Vec<Uuid>, Option<PublishError>) {
        let publish = batch.iter().map(async |(message, body)| {
            let to = published_to(message);
            let published = self.publisher.requeue(message.id, &to, body).await;
            published.map(|()| message.id)
        });
        let (mut confirmed, mut failed) = (Vec::with_capacity(batch.len()), None);
        for published in join_all(publish).await {
            match published {
                Ok(id) => confirmed.push(id),
                Err(error) => failed = Some(error),
            }
        }
        (confirmed, failed)
    }

    /// Deletes confirmed messages, and returns their number. Fewer than `ids` when another request has
    /// deleted some meanwhile.
    async fn delete(&self, ids: &[Uuid]) -> Result<i64, Refusal> {
        let mut connection = self.connections.acquire().await?;
        transaction(&mut connection, async |connection| {
            let deleted = rejected_messages::delete(connection, ids).await?;
            if deleted > 0 {
                let action = AuditAction::RejectedMessagesRequeued;
                let entry = audit_entry(action, self.filter, deleted);
                audit::insert(connection, &self.caller.actor(), &entry).await?;
            }
            Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
        })
        .await
    }
}
