//! Pending deliveries cancelled.

use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::WebhookId;

use crate::StoreError;
use crate::statement::statement;

/// Writes what the statement has taken out of `deliveries_pending` to where what has ended lies.
/// `$from`: its name there; the others: what has become of it.
///
/// An event that is published again after it was removed as old, while the delivery of its first time
/// is kept still, has that delivery there: the new one leaves no row, as an event seen before leaves
/// none.
macro_rules! move_to_ended {
    ($from:literal, $status:literal, $attempts:literal, $last_answer:literal) => {
        concat!(
            "INSERT INTO deliveries_ended (id, event_id, webhook_id, event_type, environment, test,
                schedule_from, ordering_key, ordering_sequence, created_at, ended_at,
                status, attempts, last_answer)
            SELECT id, event_id, webhook_id, event_type, environment, test,
                schedule_from, ordering_key, ordering_sequence, created_at, now(), ",
            $status,
            ", ",
            $attempts,
            ", ",
            $last_answer,
            " FROM ",
            $from,
            " ON CONFLICT (event_id, webhook_id) DO NOTHING"
        )
    };
}

pub(crate) use move_to_ended;

statement! {
    /// What another worker is moving on at this moment is left to a later call.
    CancelPending<'a> -> diesel::sql_types::Untyped {
        "WITH gone AS (
            DELETE FROM deliveries_pending WHERE id = ANY(ARRAY(
                SELECT id FROM deliveries_pending
                WHERE webhook_id = ", webhook_id: &'a Uuid => SqlUuid,
        " LIMIT ", limit: i64 => BigInt,
        concat!(" FOR UPDATE SKIP LOCKED))
            RETURNING *
        ) ", move_to_ended!("gone", "'cancelled'", "attempts", "last_answer"))
    }
}

/// Cancels what is pending for a webhook, up to `limit`. Tells how many were.
pub async fn cancel_pending(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    limit: i64,
) -> Result<usize, StoreError> {
    let webhook_id = &webhook_id.0;
    let statement = CancelPending { webhook_id, limit };
    Ok(statement.execute(connection).await?)
}
