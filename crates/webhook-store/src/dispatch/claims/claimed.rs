//! The rows of a claim.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Bytea, Integer, Nullable, Text, Timestamptz};
use webhook_domain::{
    DeliveryId, Environment, Event, EventId, EventType, OrderingKey, TraceContext, WebhookId,
};

use crate::column_types::{Id, Named};
use crate::dispatch::leased::{LeasedDelivery, LeasedFrom};
use crate::sql::row;

row! {
    /// A leased delivery with the event. Among the deliveries of an event, only the first row has a body.
    pub(super) struct ClaimedRow {
        id: DeliveryId as Id<DeliveryId>,
        webhook_id: WebhookId as Id<WebhookId>,
        webhook_version: i64 as BigInt,
        max_concurrency: Option<i32> as Nullable<Integer>,
        attempts: i32 as Integer,
        schedule_from: i32 as Integer,
        ordering_key: Option<OrderingKey> as Nullable<Id<OrderingKey>>,
        rate_limited: bool as Bool,
        schedule_since: DateTime<Utc> as Timestamptz,
        throttled: i32 as Integer,
        event_id: EventId as Id<EventId>,
        event_type: EventType as Named<EventType>,
        environment: Environment as Named<Environment>,
        occurred_at: DateTime<Utc> as Timestamptz,
        test_for: Option<WebhookId> as Nullable<Id<WebhookId>>,
        traceparent: Option<String> as Nullable<Text>,
        body: Option<Vec<u8>> as Nullable<Bytea>,
    }
}

/// Turns rows into leased deliveries. Deliveries of one event share a body.
pub(super) fn read(
    rows: Vec<ClaimedRow>,
    lease_until: DateTime<Utc>,
    leased_from: LeasedFrom,
) -> Vec<LeasedDelivery> {
    let mut bodies: HashMap<EventId, Bytes> = HashMap::new();
    let leased = rows.into_iter().map(|row| {
        let mut row = row;
        let body = match row.body.take() {
            Some(body) => {
                let body = Bytes::from(body);
                // A reference count, not a copy.
                bodies.insert(row.event_id, body.clone());
                body
            }
            None => bodies.get(&row.event_id).cloned().unwrap_or_default(),
        };
        row.lease(body, lease_until, leased_from)
    });
    leased.collect()
}

impl ClaimedRow {
    fn lease(
        self,
        body: Bytes,
        lease_until: DateTime<Utc>,
        leased_from: LeasedFrom,
    ) -> LeasedDelivery {
        LeasedDelivery {
            id: self.id,
            event: Event {
                id: self.event_id,
                event_type: self.event_type,
                environment: self.environment,
                timestamp: self.occurred_at,
                test_for: self.test_for,
                trace: self.traceparent.and_then(|text| TraceContext::parse(&text)),
                body,
            },
            webhook_id: self.webhook_id,
            webhook_version: self.webhook_version,
            max_concurrency: self.max_concurrency,
            rate_limited: self.rate_limited,
            attempts: self.attempts,
            schedule_from: self.schedule_from,
            schedule_since: self.schedule_since,
            throttled: self.throttled,
            ordering_key: self.ordering_key,
            lease_until,
            leased_from,
        }
    }
}
