//! Ordering keys: of the pending deliveries with one webhook and key, only the first has a
//! `next_attempt_at`. The others wait for their turn.

use diesel::sql_types::{Array, BigInt, Nullable, Untyped};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryId, OrderingKey, WebhookId};

use crate::StoreError;
use crate::column_types::Id;
use crate::sql::sql;

/// Ordering keys whose first pending delivery may have changed, because a delivery was added to the
/// key, or because the key's first delivery ended.
///
/// Pass the keys to [`release_heads`] **after** the commit. The later of two workers sees both commits,
/// so no turn is missed and no lock is needed. A worker's death between the commit and the call leaves
/// a key stuck until [`release_stuck`] finds the key.
#[must_use = "the next deliveries of these keys wait for their turn until `release_heads` is called"]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    webhook_ids: Vec<WebhookId>,
    keys: Vec<OrderingKey>,
}

impl Turns {
    /// Adds a delivery's key. `None`: the delivery has no order, and no key is added.
    pub fn add(&mut self, webhook_id: WebhookId, key: Option<OrderingKey>) {
        if let Some(key) = key {
            self.webhook_ids.push(webhook_id);
            self.keys.push(key);
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

/// A delivery that was just written without a time, with its ordering key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyedDelivery {
    pub(crate) delivery: DeliveryId,
    /// `None`: the event lacks the ordering field, so the delivery has no order.
    pub(crate) key: Option<OrderingKey>,
}

sql! {
    struct SetKeys from "ordering/set_keys.sql" -> Untyped {
        1 ids: Vec<DeliveryId> as Array<Id<DeliveryId>>,
        2 keys: Vec<Option<OrderingKey>> as Array<Nullable<Id<OrderingKey>>>,
    }
}

/// Writes ordering keys, in the transaction that wrote the deliveries.
pub(crate) async fn set_keys(
    connection: &mut AsyncPgConnection,
    keyed: &[KeyedDelivery],
) -> Result<(), StoreError> {
    let statement = SetKeys {
        ids: keyed.iter().map(|keyed| keyed.delivery).collect(),
        keys: keyed.iter().map(|keyed| keyed.key).collect(),
    };
    statement.execute(connection).await?;
    Ok(())
}

sql! {
    struct ReleaseHeads from "ordering/release_heads.sql" -> Untyped {
        1 webhook_ids: Vec<WebhookId> as Array<Id<WebhookId>>,
        2 keys: Vec<OrderingKey> as Array<Id<OrderingKey>>,
    }
}

/// Makes the first pending delivery of each key due, unless released before. Returns the number.
pub async fn release_heads(
    connection: &mut AsyncPgConnection,
    turns: Turns,
) -> Result<usize, StoreError> {
    // Most batches have no ordered delivery.
    if turns.is_empty() {
        return Ok(0);
    }
    let statement = ReleaseHeads {
        webhook_ids: turns.webhook_ids,
        keys: turns.keys,
    };
    Ok(statement.execute(connection).await?)
}

sql! {
    struct ReleaseStuck from "ordering/release_stuck.sql" -> Untyped {
        1 limit: i64 as BigInt,
    }
}

/// Finds up to `limit` keys whose first delivery missed its turn, and makes the deliveries due. Returns
/// the number.
pub async fn release_stuck(
    connection: &mut AsyncPgConnection,
    limit: i64,
) -> Result<usize, StoreError> {
    Ok(ReleaseStuck { limit }.execute(connection).await?)
}
