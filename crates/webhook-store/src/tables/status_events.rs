//! Table `status_events`: an outbox of messages for the platform's own services.
//!
//! A message is written in the transaction of the change. A dispatcher publishes the message afterwards,
//! and deletes the row once the broker has confirmed.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{Environment, StatusEvent, StatusEventType, WebhookId};

use crate::StoreError;
use crate::schema::status_events;
use crate::sql::{Selected, sql};

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = status_events, check_for_backend(diesel::pg::Pg))]
pub struct StatusMessage {
    /// The message's id, a UUID v7, repeated in the body.
    pub id: Uuid,
    /// `<environment>.<type>`
    pub routing_key: String,
    /// The body as JSON.
    pub body: String,
}

/// Makes an event about a webhook, with a new id and the current time.
pub(crate) fn about(
    event_type: StatusEventType,
    webhook_id: WebhookId,
    environment: Environment,
    reason: &str,
) -> StatusEvent {
    StatusEvent {
        id: Uuid::now_v7(),
        event_type,
        environment,
        timestamp: Utc::now(),
        webhook_id,
        reason: reason.to_owned(),
        delivery: None,
    }
}

/// Puts an event into the outbox, in the transaction of the change.
pub(crate) async fn insert(
    connection: &mut AsyncPgConnection,
    event: &StatusEvent,
) -> Result<(), StoreError> {
    diesel::insert_into(status_events::table)
        .values((
            status_events::id.eq(event.id),
            status_events::routing_key.eq(event.routing_key()),
            status_events::body.eq(event.to_json()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

sql! {
    struct ClaimStatusEvents from "status_events/claim.sql" -> Selected<StatusMessage> {
        1 lease_until: DateTime<Utc> as Timestamptz,
        2 limit: i64 as BigInt,
    }
}

/// Leases up to `limit` due messages of the outbox. Unless [deleted](delete), a message is due again
/// at `lease_until`.
pub async fn claim(
    connection: &mut AsyncPgConnection,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<StatusMessage>, StoreError> {
    // Deleted only after the broker's confirm: a crash in between publishes a message twice.
    let claim = ClaimStatusEvents { lease_until, limit };
    let mut messages: Vec<StatusMessage> = claim.load(connection).await?;
    // In the order of creation, as ids are UUIDs v7. UPDATE … RETURNING keeps no order.
    messages.sort_by_key(|message| message.id);
    Ok(messages)
}

/// Deletes confirmed messages.
pub async fn delete(connection: &mut AsyncPgConnection, ids: &[Uuid]) -> Result<(), StoreError> {
    diesel::delete(status_events::table.filter(status_events::id.eq_any(ids)))
        .execute(connection)
        .await?;
    Ok(())
}
