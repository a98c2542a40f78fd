//! Deliveries that go one by one: of the pending ones with one webhook and key, only the first
//! has a `next_attempt_at`; the others are held.

use diesel::sql_types::{Array, BigInt, Nullable, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, OrderingKey, WebhookId};

use crate::StoreError;
use crate::statement::statement;

/// Ordering keys whose first pending delivery may have changed, because a delivery was added to the
/// key, or because the key's first delivery ended.
///
/// Give them to [`release_heads`] **after** the commit. Of two workers that do so at once, the later
/// one sees what both have committed, so no turn is missed and no lock is needed. A worker that dies
/// between its commit and that call leaves a key stuck, until [`release_stuck`] finds it.
#[must_use = "the next deliveries of these keys stay held until `release_heads` is called"]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    webhook_ids: Vec<Uuid>,
    keys: Vec<Uuid>,
}

impl Turns {
    /// Adds a delivery's key; `None`: the delivery has none, so there is nothing to add.
    pub fn add(&mut self, webhook_id: WebhookId, key: Option<OrderingKey>) {
        if let Some(key) = key {
            self.webhook_ids.push(webhook_id.0);
            self.keys.push(key.0);
        }
    }

    /// How many keys there are, repeated ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// A delivery that was just written as held, and its key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyedDelivery {
    pub(crate) delivery: DeliveryId,
    /// `None`: the event has no such field, and waits for nobody.
    pub(crate) key: Option<OrderingKey>,
}

statement! {
    SetKeys<'a> -> diesel::sql_types::Untyped {
        "WITH keyed AS (SELECT * FROM unnest(", ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", keys: &'a [Option<Uuid>] => Array<Nullable<SqlUuid>>,
        ") AS keyed (id, key))
        UPDATE deliveries_pending SET
            ordering_key = keyed.key,
            next_attempt_at = CASE WHEN keyed.key IS NULL THEN now() END,
            backlog = CASE WHEN keyed.key IS NULL THEN 0 END
        FROM keyed
        WHERE deliveries_pending.id = ANY(ARRAY(SELECT id FROM keyed))
          AND deliveries_pending.id = keyed.id"
    }
}

/// Notes keys, in the transaction that wrote the deliveries.
pub(crate) async fn set_keys(
    connection: &mut AsyncPgConnection,
    keyed: &[KeyedDelivery],
) -> Result<(), StoreError> {
    let keys: Vec<Option<Uuid>> = keyed.iter().map(|k| k.key.map(|key| key.0)).collect();
    let statement = SetKeys {
        ids: keyed.iter().map(|k| k.delivery.0).collect(),
        keys: &keys,
    };
    statement.execute(connection).await?;
    Ok(())
}

statement! {
    ReleaseHeads<'a> -> diesel::sql_types::Untyped {
        "WITH wanted AS (
            SELECT DISTINCT * FROM unnest(", webhooks: Vec<Uuid> => Array<SqlUuid>,
        ", ", keys: &'a [Uuid] => Array<SqlUuid>,
        ") AS wanted (webhook_id, ordering_key)
        ), head AS (
            SELECT row.id FROM wanted
            CROSS JOIN LATERAL (
                SELECT id, next_attempt_at FROM deliveries_pending AS delivery
                WHERE delivery.webhook_id = wanted.webhook_id
                  AND delivery.ordering_key = wanted.ordering_key
                ORDER BY ordering_sequence LIMIT 1
            ) AS row
            WHERE row.next_attempt_at IS NULL
        )
        UPDATE deliveries_pending
        SET next_attempt_at = now(), backlog = CASE WHEN attempts > 0 THEN 1 ELSE 0 END
        WHERE id = ANY(ARRAY(SELECT id FROM head))
          AND next_attempt_at IS NULL"
    }
}

/// Makes the first pending delivery of each key due, if it was held. Tells how many were.
pub async fn release_heads(
    connection: &mut AsyncPgConnection,
    turns: Turns,
) -> Result<usize, StoreError> {
    if turns.is_empty() {
        return Ok(0);
    }
    let statement = ReleaseHeads {
        webhooks: turns.webhook_ids,
        keys: &turns.keys,
    };
    Ok(statement.execute(connection).await?)
}

statement! {
    /// Hops from webhook to webhook and, for those that are Active, from key to key over the
    /// index, so that its cost grows with the keys that have something pending and not with rows.
    ReleaseStuck<'a> -> diesel::sql_types::Untyped {
        "WITH RECURSIVE ordered AS (
            (SELECT webhook_id FROM deliveries_pending
             WHERE ordering_key IS NOT NULL ORDER BY webhook_id LIMIT 1)
            UNION ALL
            SELECT (SELECT delivery.webhook_id FROM deliveries_pending AS delivery
                    WHERE ordering_key IS NOT NULL
                      AND delivery.webhook_id > ordered.webhook_id
                    ORDER BY delivery.webhook_id LIMIT 1)
            FROM ordered WHERE ordered.webhook_id IS NOT NULL
        ), stuck AS (
            SELECT head.id FROM ordered
            JOIN webhooks ON webhooks.id = ordered.webhook_id AND webhooks.status = 'active'
            CROSS JOIN LATERAL (
                WITH RECURSIVE head AS (
                    (SELECT id, ordering_key, next_attempt_at FROM deliveries_pending
                     WHERE webhook_id = ordered.webhook_id AND ordering_key IS NOT NULL
                     ORDER BY ordering_key, ordering_sequence LIMIT 1)
                    UNION ALL
                    SELECT row.* FROM head CROSS JOIN LATERAL (
                        SELECT id, ordering_key, next_attempt_at FROM deliveries_pending
                        WHERE webhook_id = ordered.webhook_id
                          AND ordering_key > head.ordering_key
                        ORDER BY ordering_key, ordering_sequence LIMIT 1
                    ) AS row
                )
                SELECT id FROM head WHERE next_attempt_at IS NULL
            ) AS head
            LIMIT ", limit: &'a i64 => BigInt,
        ")
        UPDATE deliveries_pending
        SET next_attempt_at = now(), backlog = CASE WHEN attempts > 0 THEN 1 ELSE 0 END
        WHERE id = ANY(ARRAY(SELECT id FROM stuck))
          AND next_attempt_at IS NULL"
    }
}

/// Finds keys whose first delivery is held, up to `limit`, and makes it due. Tells how many.
pub async fn release_stuck(
    connection: &mut AsyncPgConnection,
    limit: i64,
) -> Result<usize, StoreError> {
    let limit = &limit;
    Ok(ReleaseStuck { limit }.execute(connection).await?)
}
