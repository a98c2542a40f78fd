//! The intake of a batch: a match, then an insert of the events and the owed deliveries.
//!
//! The match finds the subscribers, [once per kind of event](matching). Rust decides the places and ids
//! of the deliveries, so that the insert only writes.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Bytea, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, Environment, Event, EventId, EventType, OrderingKey, WebhookId};

use crate::StoreError;
use crate::column_types::{Id, Named};
use crate::dispatch::leased::{LaneRoom, LeasedDelivery, LeasedFrom};
use crate::dispatch::ordering::Turns;
use crate::ids::time_of;
use crate::sql::sql;

mod matching;

use matching::{Subscriber, Subscribers};

/// The most deliveries in one statement, so that no statement runs for long. A single event with more
/// subscribers is still written by one statement.
const MAX_DELIVERIES_PER_STATEMENT: usize = 5_000;

/// The room of a worker for the deliveries of new events.
#[derive(Debug)]
pub struct IntakeRequest<'a> {
    /// The lanes whose room differs from `default_free`.
    pub lanes: &'a [LaneRoom],
    /// The room of every other webhook.
    pub default_free: i32,
    /// The end of the lease of deliveries with room.
    pub lease_until: DateTime<Utc>,
    /// A fresh UUID v7, the seed of the deliveries' ids.
    pub delivery_id_seed: Uuid,
}

/// The result of taking a batch in.
#[derive(Debug, Default)]
pub struct TakenIn {
    /// The number of events taken in, from the first on. The others are for another call, as the batch is
    /// owed to too many webhooks for one statement.
    pub events: usize,
    /// The number of these events that were stored for the first time.
    pub fresh: usize,
    /// The number of these events whose id was known before, from Postgres or from the same batch.
    pub known: usize,
    /// The number of fresh events that no webhook is owed.
    pub unmatched: usize,
    /// Deliveries leased to the calling worker.
    pub leased: Vec<LeasedDelivery>,
    /// The number of deliveries in the backlog, for any worker with room.
    pub in_backlog: usize,
    /// The ordering keys of deliveries that wait for their turn.
    pub turns: Turns,
}

/// The place of a new delivery, with the number used in `take_in.sql`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Leased at once: the worker's lane has room.
    Leased = 0,
    /// In the backlog: the lane has no room, or the webhook has a rate limit, an open circuit or a hold.
    Backlog = 1,
    /// Waits for the turn of its ordering key.
    AwaitsTurn = 2,
}

/// A delivery to be written.
struct OwedDelivery<'a> {
    event: &'a Event,
    subscriber: &'a Subscriber,
    place: Place,
    key: Option<OrderingKey>,
}

impl OwedDelivery<'_> {
    /// The delivery as leased to the calling worker.
    fn lease(&self, id: DeliveryId, request: &IntakeRequest<'_>) -> LeasedDelivery {
        LeasedDelivery {
            id,
            event: self.event.clone(),
            webhook_id: self.subscriber.webhook_id,
            webhook_version: self.subscriber.version,
            max_concurrency: self.subscriber.max_concurrency,
            // Only tests of a webhook with a rate limit are leased here, and tests need no token.
            rate_limited: false,
            attempts: 0,
            schedule_from: 0,
            schedule_since: time_of(request.delivery_id_seed),
            throttled: 0,
            // An ordered delivery waits for its turn, and is never leased here.
            ordering_key: None,
            lease_until: request.lease_until,
            leased_from: LeasedFrom::Intake,
        }
    }
}

sql! {
    struct TakeIn<'a> from "intake/take_in.sql" -> Id<EventId> {
        1 matched_at: DateTime<Utc> as Timestamptz,
        2 ids: Vec<EventId> as Array<Id<EventId>>,
        3 event_types: Vec<EventType> as Array<Named<EventType>>,
        4 environments: Vec<Environment> as Array<Named<Environment>>,
        5 timestamps: Vec<DateTime<Utc>> as Array<Timestamptz>,
        6 bodies: Vec<&'a [u8]> as Array<Bytea>,
        7 test_for: Vec<Option<WebhookId>> as Array<Nullable<Id<WebhookId>>>,
        8 matched: Vec<bool> as Array<Bool>,
        9 created_at: DateTime<Utc> as Timestamptz,
        10 lease_until: DateTime<Utc> as Timestamptz,
        11 delivery_ids: Vec<DeliveryId> as Array<Id<DeliveryId>>,
        12 event_ids: Vec<EventId> as Array<Id<EventId>>,
        13 webhook_ids: Vec<WebhookId> as Array<Id<WebhookId>>,
        14 places: Vec<i16> as Array<SmallInt>,
        15 keys: Vec<Option<OrderingKey>> as Array<Nullable<Id<OrderingKey>>>,
        16 traceparents: Vec<Option<String>> as Array<Nullable<Text>>,
    }
}

/// Stores events, from the first on, and the owed deliveries, up to [`MAX_DELIVERIES_PER_STATEMENT`].
///
/// An event with a known id, stored before or earlier in `events`, is passed over.
pub async fn take_in(
    connection: &mut AsyncPgConnection,
    events: &[Event],
    request: &IntakeRequest<'_>,
) -> Result<TakenIn, StoreError> {
    // Not one transaction: a webhook changed between match and insert is treated as at the match.
    // `matched_at` records the time, and `webhook_history` explains the difference.
    let subscribers = Subscribers::find(connection, events).await?;
    let (taken, events) = first_of(events, &subscribers);
    let owed = owe(&events, &subscribers, request);
    let delivery_ids: Vec<DeliveryId> = (1..)
        .map(|number| DeliveryId(numbered(request.delivery_id_seed, number)))
        .take(owed.len())
        .collect();
    let batch = Batch {
        events: &events,
        subscribers: &subscribers,
        owed: &owed,
        delivery_ids: &delivery_ids,
    };
    let statement = TakeIn::of(&batch, request);
    let known: Vec<EventId> = statement.load(connection).await?;
    let known: HashSet<EventId> = known.into_iter().collect();
    let fresh = events.iter().filter(|event| !known.contains(&event.id));
    let unmatched = fresh.filter(|event| subscribers.for_event(event).is_empty());
    let taken_in = TakenIn {
        events: taken,
        fresh: events.len() - known.len(),
        // An id twice in the batch counts, too.
        known: taken - events.len() + known.len(),
        unmatched: unmatched.count(),
        ..TakenIn::default()
    };
    let written = delivery_ids.into_iter().zip(owed);
    // Deliveries of known events were not written.
    let written = written.filter(|(_, owed)| !known.contains(&owed.event.id));
    Ok(sort_out(taken_in, written, request))
}

/// The events and deliveries of a statement.
struct Batch<'a, 'b> {
    events: &'b [&'a Event],
    subscribers: &'b Subscribers,
    owed: &'b [OwedDelivery<'a>],
    /// The ids of the deliveries, in the order of `owed`.
    delivery_ids: &'b [DeliveryId],
}

impl<'a> TakeIn<'a> {
    fn of(batch: &Batch<'a, '_>, request: &IntakeRequest<'_>) -> Self {
        let Batch {
            events,
            subscribers,
            owed,
            delivery_ids,
        } = batch;
        Self {
            matched_at: subscribers.at,
            ids: events.iter().map(|e| e.id).collect(),
            event_types: events.iter().map(|e| e.event_type).collect(),
            environments: events.iter().map(|e| e.environment).collect(),
            timestamps: events.iter().map(|e| e.timestamp).collect(),
            bodies: events.iter().map(|e| e.body.as_ref()).collect(),
            test_for: events.iter().map(|e| e.test_for).collect(),
            matched: events
                .iter()
                .map(|e| !subscribers.for_event(e).is_empty())
                .collect(),
            created_at: time_of(request.delivery_id_seed),
            lease_until: request.lease_until,
            delivery_ids: delivery_ids.to_vec(),
            event_ids: owed.iter().map(|o| o.event.id).collect(),
            webhook_ids: owed.iter().map(|o| o.subscriber.webhook_id).collect(),
            places: owed.iter().map(|o| o.place as i16).collect(),
            keys: owed.iter().map(|o| o.key).collect(),
            traceparents: events
                .iter()
                .map(|e| e.trace.map(|trace| trace.to_string()))
                .collect(),
        }
    }
}

/// Selects the first events for one statement, without repeated ids. Also returns the number of selected
/// entries, repeated ids included.
fn first_of<'a>(events: &'a [Event], subscribers: &Subscribers) -> (usize, Vec<&'a Event>) {
    let (mut seen, mut deliveries) = (HashSet::with_capacity(events.len()), 0);
    let first = events.iter().take_while(|event| {
        let before = deliveries;
        deliveries += subscribers.for_event(event).len();
        before == 0 || deliveries <= MAX_DELIVERIES_PER_STATEMENT
    });
    let first: Vec<&Event> = first.collect();
    let taken = first.len();
    // An event twice in a batch would be inserted twice by one statement, which Postgres refuses.
    let once = first.into_iter().filter(|event| seen.insert(event.id));
    (taken, once.collect())
}

/// Decides the owed deliveries and their places.
fn owe<'a>(
    events: &[&'a Event],
    subscribers: &'a Subscribers,
    request: &IntakeRequest<'_>,
) -> Vec<OwedDelivery<'a>> {
    let mut free_slots = FreeSlots::of(request);
    let mut owed = Vec::new();
    for event in events {
        for subscriber in subscribers.for_event(event) {
            let (place, key) = free_slots.place(event, subscriber);
            owed.push(OwedDelivery {
                event,
                subscriber,
                place,
                key,
            });
        }
    }
    owed
}

/// The free slots of the worker's lanes, which the deliveries of a batch fill.
struct FreeSlots {
    lanes: HashMap<WebhookId, i32>,
    default_free: i32,
}

impl FreeSlots {
    fn of(request: &IntakeRequest<'_>) -> Self {
        let lanes = request.lanes.iter();
        Self {
            lanes: lanes.map(|l| (l.webhook_id, l.first_attempts)).collect(),
            default_free: request.default_free,
        }
    }

    /// The place of a delivery, with the ordering key of a delivery that waits for its turn.
    fn place(&mut self, event: &Event, subscriber: &Subscriber) -> (Place, Option<OrderingKey>) {
        if let Some(field) = &subscriber.ordering_field {
            // Waits even if no delivery of the key is pending: two workers with events of one key see
            // the deliveries of each other only after the commit.
            return match OrderingKey::of(event, field) {
                Some(key) => (Place::AwaitsTurn, Some(key)),
                None => (Place::Backlog, None),
            };
        }
        let free = self
            .lanes
            .entry(subscriber.webhook_id)
            .or_insert(self.default_free);
        if subscriber.goes_to_backlog || *free <= 0 {
            return (Place::Backlog, None);
        }
        *free -= 1;
        (Place::Leased, None)
    }
}

/// The id of a delivery: a UUID v7 with the time and random part of the seed, and an ascending number.
/// Ascending ids let indexes grow at the end.
fn numbered(seed: Uuid, number: u32) -> Uuid {
    Uuid::from_u128(seed.as_u128() >> 32 << 32 | u128::from(number))
}

/// Sorts written deliveries by place.
fn sort_out<'a>(
    mut taken_in: TakenIn,
    written: impl Iterator<Item = (DeliveryId, OwedDelivery<'a>)>,
    request: &IntakeRequest<'_>,
) -> TakenIn {
    for (id, owed) in written {
        let webhook_id = owed.subscriber.webhook_id;
        match owed.place {
            Place::Leased => taken_in.leased.push(owed.lease(id, request)),
            Place::Backlog => taken_in.in_backlog += 1,
            Place::AwaitsTurn => taken_in.turns.add(webhook_id, owed.key),
        }
    }
    taken_in
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_up_from_a_seed_and_keep_its_time() {
        let seed = Uuid::now_v7();

        let ids = [1, 2, 70_000].map(|number| numbered(seed, number));

        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| time_of(*id) == time_of(seed)));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
