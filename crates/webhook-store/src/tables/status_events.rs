//! Table `status_events`: an outbox of what the platform's own services are told.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{Environment, StatusEvent, StatusEventType, WebhookId};

use crate::StoreError;
use crate::schema::status_events;
use crate::statement::statement;

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusMessage {
    /// Its id, as in its body.
    pub id: Uuid,
    /// `<environment>.<type>`
    pub routing_key: String,
    /// JSON.
    pub body: String,
}

/// What is told about a webhook, now.
pub(crate) fn about(
    webhook_id: WebhookId,
    (event_type, environment): (StatusEventType, Environment),
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

/// Puts an event into the outbox, in the transaction that makes it true.
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

statement! {
    Claim<'a> -> (SqlUuid, Text, Text) {
        "UPDATE status_events SET publish_at = ", lease_until: &'a DateTime<Utc> => Timestamptz,
        " WHERE id = ANY(ARRAY(
            SELECT id FROM status_events WHERE publish_at <= now()
            ORDER BY publish_at LIMIT ", limit: i64 => BigInt,
        " FOR UPDATE SKIP LOCKED))
        RETURNING id, routing_key, body"
    }
}

/// Takes messages out of the outbox, which come again after `lease_until` unless they are
/// [deleted](delete).
pub async fn claim(
    connection: &mut AsyncPgConnection,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<StatusMessage>, StoreError> {
    let lease_until = &lease_until;
    let rows: Vec<(Uuid, String, String)> = Claim { lease_until, limit }.load(connection).await?;
    let mut messages: Vec<StatusMessage> = rows
        .into_iter()
        .map(|(id, routing_key, body)| StatusMessage {
            id,
            routing_key,
            body,
        })
        .collect();
    // Ids are UUIDs v7: in the order in which they were made.
    messages.sort_by_key(|message| message.id);
    Ok(messages)
}

/// Deletes messages that the broker has.
pub async fn delete(connection: &mut AsyncPgConnection, ids: &[Uuid]) -> Result<(), StoreError> {
    diesel::delete(status_events::table.filter(status_events::id.eq_any(ids)))
        .execute(connection)
        .await?;
    Ok(())
}
