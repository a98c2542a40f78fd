//! Requeues a rejected message.

use webhook_broker::Publisher;
use webhook_domain::{AmqpName, AuditAction, PublishedTo, RejectedMessageId};
use webhook_store::rejected_messages::RejectedMessage;

use super::discard::delete_message;
use super::find::find_rejected_message;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// Puts a message back into the queue of events, unchanged. A message that is still wrong is rejected
/// again under another id. Two requests at once may queue the message twice, which delivers once: a
/// dispatcher knows the event's id.
pub async fn requeue_rejected_message(
    id: RejectedMessageId,
    caller: &Caller,
    connections: &Connections,
    publisher: &Publisher,
) -> Result<(), Refusal> {
    // The connection is back in the pool while the broker confirms.
    let (message, body) = find_rejected_message(id, connections).await?;
    if !message.is_whole() {
        return Err(Refusal::Conflict(
            "the message is too large to be an event; only the start was kept",
        ));
    }
    publisher
        .requeue(message.id, &published_to(&message), &body)
        .await?;
    // Deleted only after the broker's confirmation. Meanwhile another request may have requeued or
    // discarded the message: then there is no row to delete, and no entry to record.
    let action = AuditAction::RejectedMessageRequeued;
    delete_message(connections, &message, action, caller).await?;
    Ok(())
}

/// The exchange and routing key of a message.
pub(super) fn published_to(message: &RejectedMessage) -> PublishedTo {
    PublishedTo {
        exchange: AmqpName::new(&message.exchange),
        routing_key: AmqpName::new(&message.routing_key),
    }
}
