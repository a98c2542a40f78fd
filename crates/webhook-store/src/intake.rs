//! Taking events in: the events, and the deliveries owed for them, in one statement.
//!
//! Who is owed them is found first, [once per kind of event](matching); which of the deliveries the
//! worker has room for, and their ids, are settled here, so that nothing is left to the statement
//! but to write.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, Bool, Bytea, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, Event, OrderingKey, WebhookId};

use crate::ids::time_of;
use crate::ordering::Turns;
use crate::statement::statement;
use crate::{LaneRoom, LeasedDelivery, LeasedFrom, StoreError};

mod matching;

use matching::{Subscriber, Subscribers};

/// The most deliveries in one statement, unless one event alone is owed to more webhooks.
const MOST: usize = 5_000;

/// What a worker that takes events in has room for.
#[derive(Debug)]
pub struct IntakeRequest<'a> {
    /// Lanes whose room is not `default_free`.
    pub lanes: &'a [LaneRoom],
    /// The room of every other webhook.
    pub default_free: i32,
    /// Until when what has room is ours.
    pub lease_until: DateTime<Utc>,
    /// A fresh UUID v7; the ids of these deliveries are made from it.
    pub delivery_id_seed: Uuid,
}

/// What became of a batch of events.
#[derive(Debug, Default)]
pub struct TakenIn {
    /// How many events were taken in, the first ones of the batch. The others are for another call:
    /// they are owed to too many webhooks for one.
    pub events: usize,
    /// Deliveries that are ours until the lease ends.
    pub leased: Vec<LeasedDelivery>,
    /// How many wait in the backlog, for whoever has room.
    pub waiting: usize,
    /// The keys of the deliveries that were written as held.
    pub turns: Turns,
}

/// Where a delivery is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The worker has room for it and it is leased at once.
    Leased = 0,
    /// It waits in the backlog: it has no room, has a rate limit, or goes to an open circuit
    /// or to a receiver that asked for no requests.
    Backlog = 1,
    /// It is ordered, and held until its turn is found.
    Held = 2,
}

/// A delivery that is to be written.
struct Owed<'a> {
    event: &'a Event,
    subscriber: &'a Subscriber,
    place: Place,
    key: Option<OrderingKey>,
}

statement! {
    /// Tells which events were known already, from before or from another worker at this moment:
    /// these are passed over. `$2` is the ids of the events, which are bound second.
    TakeIn<'a> -> SqlUuid {
        "WITH fresh AS (
            INSERT INTO events
                (id, event_type, environment, occurred_at, body, test_webhook_id, matched, received_at)
            SELECT *, ", matched_at: DateTime<Utc> => Timestamptz,
        " FROM unnest(", ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", event_types: Vec<&'a str> => Array<Text>,
        ", ", environments: Vec<&'a str> => Array<Text>,
        ", ", timestamps: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", bodies: Vec<&'a [u8]> => Array<Bytea>,
        ", ", test_for: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>,
        ", ", matched: Vec<bool> => Array<Bool>,
        ")
            ON CONFLICT (id) DO NOTHING
            RETURNING id, event_type, environment, test_webhook_id
        ), owed AS (
            INSERT INTO deliveries_pending
                (id, event_id, webhook_id, event_type, environment, test, created_at,
                 next_attempt_at, backlog, ordering_key, ordering_sequence)
            SELECT owed.id, event_id, webhook_id, event_type::event_type, environment::environment,
                   test_webhook_id IS NOT NULL, ", created_at: DateTime<Utc> => Timestamptz,
        ", CASE place WHEN 0 THEN ", lease_until: DateTime<Utc> => Timestamptz,
        " WHEN 1 THEN now() END,
                   CASE place WHEN 1 THEN 0 END, ordering_key,
                   CASE place WHEN 2 THEN nextval('deliveries_ordering') END
            FROM unnest(", delivery_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", event_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", webhook_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", places: Vec<i16> => Array<SmallInt>,
        ", ", keys: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>,
        ") AS owed (id, event_id, webhook_id, place, ordering_key)
            JOIN fresh ON fresh.id = owed.event_id
            ORDER BY owed.id
        )
        SELECT incoming.id FROM unnest($2) AS incoming (id) LEFT JOIN fresh USING (id) WHERE fresh.id IS NULL"
    }
}

/// Stores events and the deliveries owed for them, of as many of them as one statement takes.
///
/// An event whose id is known already, from before or from earlier in `events`, is passed over.
pub async fn take_in(
    connection: &mut AsyncPgConnection,
    events: &[Event],
    request: &IntakeRequest<'_>,
) -> Result<TakenIn, StoreError> {
    let subscribers = Subscribers::find(connection, events).await?;
    let (taken, events) = first_of(events, &subscribers);
    let owed = owe(&events, &subscribers, request);
    let delivery_ids: Vec<Uuid> = (1..)
        .map(|number| numbered(request.delivery_id_seed, number))
        .take(owed.len())
        .collect();
    let statement = TakeIn {
        matched_at: subscribers.at,
        ids: events.iter().map(|e| e.id.0).collect(),
        event_types: events.iter().map(|e| e.event_type.as_str()).collect(),
        environments: events.iter().map(|e| e.environment.as_str()).collect(),
        timestamps: events.iter().map(|e| e.timestamp).collect(),
        bodies: events.iter().map(|e| e.body.as_ref()).collect(),
        test_for: events.iter().map(|e| Some(e.test_for?.0)).collect(),
        matched: events
            .iter()
            .map(|e| !subscribers.of(e).is_empty())
            .collect(),
        lease_until: request.lease_until,
        created_at: time_of(request.delivery_id_seed),
        delivery_ids: delivery_ids.clone(),
        event_ids: owed.iter().map(|o| o.event.id.0).collect(),
        webhook_ids: owed.iter().map(|o| o.subscriber.webhook_id.0).collect(),
        places: owed.iter().map(|o| o.place as i16).collect(),
        keys: owed.iter().map(|o| Some(o.key?.0)).collect(),
    };
    let known: Vec<Uuid> = statement.load(connection).await?;
    let known: HashSet<Uuid> = known.into_iter().collect();
    let written = delivery_ids.into_iter().map(DeliveryId).zip(owed);
    let written = written.filter(|(_, owed)| !known.contains(&owed.event.id.0));
    Ok(sort_out(taken, written, request))
}

/// The first of these events, each once, that are owed to no more webhooks than one statement
/// takes, and how many of `events` that is.
fn first_of<'a>(events: &'a [Event], subscribers: &Subscribers) -> (usize, Vec<&'a Event>) {
    let (mut seen, mut deliveries) = (HashSet::with_capacity(events.len()), 0);
    let first = events.iter().take_while(|event| {
        let before = deliveries;
        deliveries += subscribers.of(event).len();
        before == 0 || deliveries <= MOST
    });
    let first: Vec<&Event> = first.collect();
    let taken = first.len();
    let once = first.into_iter().filter(|event| seen.insert(event.id));
    (taken, once.collect())
}

/// What is owed for these events, and where it is put.
fn owe<'a>(
    events: &[&'a Event],
    subscribers: &'a Subscribers,
    request: &IntakeRequest<'_>,
) -> Vec<Owed<'a>> {
    let lanes = request.lanes.iter();
    let mut room: HashMap<WebhookId, i32> =
        lanes.map(|l| (l.webhook_id, l.first_attempts)).collect();
    let mut place_of = |event: &Event, subscriber: &Subscriber| {
        let Some(field) = &subscriber.ordering_field else {
            let free = room
                .entry(subscriber.webhook_id)
                .or_insert(request.default_free);
            if subscriber.waits || *free <= 0 {
                return (Place::Backlog, None);
            }
            *free -= 1;
            return (Place::Leased, None);
        };
        match OrderingKey::of(event, field) {
            Some(key) => (Place::Held, Some(key)),
            None => (Place::Backlog, None),
        }
    };
    let mut owed = Vec::new();
    for event in events {
        for subscriber in subscribers.of(event) {
            let (place, key) = place_of(event, subscriber);
            owed.push(Owed {
                event,
                subscriber,
                place,
                key,
            });
        }
    }
    owed
}

/// Ids of deliveries are UUIDs v7 that share a random start and count up: ordered, so that indexes
/// grow at their end. They tell when deliveries were made.
fn numbered(seed: Uuid, number: u32) -> Uuid {
    Uuid::from_u128(seed.as_u128() >> 32 << 32 | u128::from(number))
}

/// Tells apart what is ours, what waits, and what is held by which key.
fn sort_out<'a>(
    events: usize,
    written: impl Iterator<Item = (DeliveryId, Owed<'a>)>,
    request: &IntakeRequest<'_>,
) -> TakenIn {
    let mut taken_in = TakenIn {
        events,
        ..TakenIn::default()
    };
    for (id, owed) in written {
        let webhook_id = owed.subscriber.webhook_id;
        match owed.place {
            Place::Leased => taken_in.leased.push(LeasedDelivery {
                id,
                event: owed.event.clone(),
                webhook_id,
                webhook_version: owed.subscriber.version,
                max_concurrency: owed.subscriber.max_concurrency,
                // A webhook with a rate limit is served from the backlog only, but for its tests.
                rate_limited: false,
                attempts: 0,
                schedule_from: 0,
                schedule_since: time_of(request.delivery_id_seed),
                throttled: 0,
                // What is ordered is written as held, and is never leased here.
                ordering_key: None,
                lease_until: request.lease_until,
                leased_from: LeasedFrom::Intake,
            }),
            Place::Backlog => taken_in.waiting += 1,
            Place::Held => taken_in.turns.add(webhook_id, owed.key),
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
