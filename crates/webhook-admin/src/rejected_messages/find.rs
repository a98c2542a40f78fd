//! Finds a rejected message with the body.

use webhook_domain::RejectedMessageId;
use webhook_store::rejected_messages::{self, RejectedMessage};

use crate::connections::Connections;
use crate::refusal::Refusal;

/// Finds a rejected message with the kept bytes of the body.
pub async fn find_rejected_message(
    id: RejectedMessageId,
    connections: &Connections,
) -> Result<(RejectedMessage, Vec<u8>), Refusal> {
    let mut connection = connections.acquire().await?;
    let found = rejected_messages::find(&mut connection, id.0).await?;
    found.ok_or(Refusal::NotFound("rejected message"))
}
