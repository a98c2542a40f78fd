//! The table of all lanes of a worker, with the number of deliveries and bytes, and the room left.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use webhook_domain::{JudgedAnswer, WebhookId};
use webhook_store::LeasedDelivery;

use super::fast::LANE_CAPACITY;
use super::hold::Hold;
use super::lane::Lane;
use super::room::{Pressure, Room, RoomFor};
use super::totals::{LaneLimit, LaneTotals};

/// The number of deliveries in memory from which the pressure is [`Pressure::Tight`].
const TIGHT_DELIVERIES: usize = 8_192;

/// The bytes of bodies in memory from which the pressure is [`Pressure::Heavy`].
const HEAVY_BYTES: usize = 64 * 1024 * 1024;

/// How many bytes a claim may read even under heavy pressure, for empty lanes.
const SPARE_BYTES: usize = 1024 * 1024;

/// The lanes, with the sums over all deliveries, queued and running.
#[derive(Default)]
pub(super) struct LaneTable {
    lanes: HashMap<WebhookId, Lane>,
    deliveries: usize,
    bytes: usize,
    closed: bool,
    /// Discord's global limit is reached until then: no lane of a webhook at Discord sends, tests aside.
    discord_held_until: Option<Instant>,
}

/// The outcome of an offer of deliveries.
#[must_use]
pub(crate) struct Offered {
    /// The webhooks in need of runners, an entry for each runner.
    pub(crate) starting: Vec<WebhookId>,
    /// The deliveries without room in a lane.
    pub(crate) no_room: Vec<LeasedDelivery>,
}

impl LaneTable {
    /// How many deliveries there is room for now.
    pub(super) fn room(&self, room_for: RoomFor, concurrency: usize) -> Room {
        let pressure = self.pressure();
        let lanes = self.lanes.iter();
        // Lanes no different from new ones have the default room.
        let lanes =
            lanes.filter(|(_, lane)| pressure == Pressure::Heavy || lane.has_room_of_its_own());
        let default_free = match pressure {
            Pressure::Heavy => 1,
            Pressure::Tight => concurrency,
            Pressure::Normal => room_for.share(LANE_CAPACITY),
        };
        let bytes = HEAVY_BYTES.saturating_sub(self.bytes).max(SPARE_BYTES);
        Room {
            lanes: lanes
                .map(|(id, lane)| lane.room(*id, room_for, pressure))
                .collect(),
            default_free: i32::try_from(default_free).unwrap_or(i32::MAX),
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        }
    }

    /// Counts lanes, their deliveries, and the reasons why deliveries wait.
    pub(super) fn totals(&self) -> LaneTotals {
        let mut totals = LaneTotals {
            lanes: self.lanes.len(),
            deliveries: self.deliveries,
            bytes: self.bytes,
            ..LaneTotals::default()
        };
        for lane in self.lanes.values() {
            totals.busy += usize::from(lane.runners() > 0);
            totals.running += lane.runners();
            if let Some(limit) = lane.limit() {
                *totals.limited.entry(limit).or_default() += 1;
            }
        }
        totals
    }

    /// The webhooks whose receivers ask for less: another dispatcher would not send more. A lane at the webhook's
    /// concurrency is none of them, as another dispatcher has the same concurrency again.
    pub(super) fn restrained_webhooks(&self) -> Vec<WebhookId> {
        let restrained = self.lanes.iter().filter(|(_, lane)| match lane.limit() {
            Some(LaneLimit::Slowed | LaneLimit::Hold) => true,
            // A rest follows a fault of our own.
            Some(LaneLimit::Rest | LaneLimit::Concurrency) | None => false,
        });
        restrained.map(|(webhook_id, _)| *webhook_id).collect()
    }

    /// The webhooks whose lanes are open.
    pub(super) fn webhook_ids(&self) -> Vec<WebhookId> {
        self.lanes.keys().copied().collect()
    }

    /// Forgets empty lanes no different from new ones.
    pub(super) fn forget_idle(&mut self) {
        self.lanes.retain(|_, lane| !lane.is_idle());
    }

    /// From now on no delivery has room.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    fn pressure(&self) -> Pressure {
        if self.bytes >= HEAVY_BYTES {
            Pressure::Heavy
        } else if self.deliveries >= TIGHT_DELIVERIES {
            Pressure::Tight
        } else {
            Pressure::Normal
        }
    }

    /// How many new events every fast lane has room for, if each event goes to all of the lanes. `None`:
    /// no lane is worth waiting for.
    pub(super) fn room_of_fast_lanes(&self) -> Option<usize> {
        let rooms = self.lanes.values().filter_map(Lane::room_worth_waiting_for);
        let (count, fullest) = rooms.fold((0, usize::MAX), |(count, fullest), room| {
            (count + 1, fullest.min(room))
        });
        let shared = TIGHT_DELIVERIES.saturating_sub(self.deliveries);
        // Division by zero: no lane.
        Some(fullest.min(shared.checked_div(count)?))
    }

    /// Puts deliveries into lanes, as far as there is room.
    pub(super) fn take_all(&mut self, leased: Vec<LeasedDelivery>, concurrency: usize) -> Offered {
        let (mut starting, mut no_room) = (Vec::new(), Vec::new());
        // The pressure at the time of the lease: a batch under normal pressure is taken whole, also if
        // the pressure becomes tight meanwhile. Heavy pressure counts at once, as bodies may be large.
        let pressure = self.pressure();
        for leased in leased {
            let webhook_id = leased.webhook_id;
            if !self.has_room(&leased, pressure) {
                no_room.push(leased);
            } else if self.take(leased, concurrency) {
                starting.push(webhook_id);
            }
        }
        Offered { starting, no_room }
    }

    fn has_room(&self, leased: &LeasedDelivery, pressure: Pressure) -> bool {
        if self.closed {
            return false;
        }
        let pressure = match self.pressure() {
            Pressure::Heavy => Pressure::Heavy,
            Pressure::Normal | Pressure::Tight => pressure,
        };
        match self.lanes.get(&leased.webhook_id) {
            Some(lane) => lane.has_room(leased, pressure),
            None => true,
        }
    }

    /// Puts a delivery into a lane. Returns whether one more runner of the lane is to be started.
    fn take(&mut self, leased: LeasedDelivery, concurrency: usize) -> bool {
        let own_limit = leased
            .max_concurrency
            .and_then(|max| usize::try_from(max).ok());
        let max_concurrency = own_limit.unwrap_or(concurrency);
        self.deliveries += 1;
        self.bytes += leased.event.body.len();
        let lane = self
            .lanes
            .entry(leased.webhook_id)
            .or_insert_with(|| Lane::new(max_concurrency));
        lane.take(leased, max_concurrency);
        lane.start_runner()
    }

    /// The next assignment of a runner; `None` ends the runner.
    pub(super) fn next(&mut self, webhook_id: WebhookId) -> Option<LeasedDelivery> {
        let lane = self.lanes.get_mut(&webhook_id)?;
        let next = lane.next();
        if lane.is_idle() {
            self.lanes.remove(&webhook_id);
        }
        next
    }

    /// Counts a delivery out, and finds the lane, unless forgotten meanwhile.
    pub(super) fn count_out_finished(&mut self, leased: &LeasedDelivery) -> Option<&mut Lane> {
        self.count_out(leased);
        self.lanes.get_mut(&leased.webhook_id)
    }

    /// Takes note of a response that concerns more lanes than its own.
    pub(super) fn observe(&mut self, answer: &JudgedAnswer) {
        // At once, as the recorder writes the hold of all webhooks with a later batch.
        let until = answer.rate.hold_of_all().map(|time| Instant::now() + time);
        self.discord_held_until = self.discord_held_until.max(until);
    }

    /// Whether Discord's global limit holds a webhook at Discord now; holds the lane for the rest of the time.
    pub(super) fn is_held_at_discord(&mut self, webhook_id: WebhookId) -> bool {
        let until = self.discord_held_until;
        let rest = until.and_then(|until| until.checked_duration_since(Instant::now()));
        let Some(rest) = rest.filter(|rest| !rest.is_zero()) else {
            return false;
        };
        // Without the hold, deliveries would be claimed and handed back without a pause.
        if let Some(lane) = self.lanes.get_mut(&webhook_id) {
            lane.hold = Some(Hold::asked(lane.hold, rest));
        }
        true
    }

    /// Takes waiting deliveries out of a webhook's lane, where `which` is true.
    pub(super) fn take_waiting(
        &mut self,
        webhook_id: WebhookId,
        which: fn(&LeasedDelivery) -> bool,
    ) -> Vec<LeasedDelivery> {
        let lane = self.lanes.get_mut(&webhook_id);
        let waiting = lane
            .map(|lane| lane.take_waiting(which))
            .unwrap_or_default();
        for leased in &waiting {
            self.count_out(leased);
        }
        waiting
    }

    /// Holds a webhook's lane for `time`, if open, and takes the waiting deliveries out, but for tests.
    pub(super) fn hold(&mut self, webhook_id: WebhookId, time: Duration) -> Vec<LeasedDelivery> {
        if let Some(lane) = self.lanes.get_mut(&webhook_id) {
            lane.hold = Some(Hold::known(lane.hold, time));
        }
        self.take_waiting(webhook_id, |leased| !leased.is_test())
    }

    /// Marks holds as written to Postgres, or as given up.
    pub(super) fn mark_holds_stored(&mut self, webhook_ids: &[WebhookId]) {
        for webhook_id in webhook_ids {
            let lane = self.lanes.get_mut(webhook_id);
            if let Some(hold) = lane.and_then(|lane| lane.hold.as_mut()) {
                hold.mark_stored();
            }
        }
    }

    /// Ends expired holds, and stored holds missing in Postgres at `asked_at`. Returns the webhooks in
    /// need of runners, an entry for each runner, for the deliveries taken in during the hold.
    pub(super) fn end_holds(
        &mut self,
        is_held: impl Fn(&WebhookId) -> bool,
        asked_at: Instant,
    ) -> Vec<WebhookId> {
        let mut starting = Vec::new();
        for (webhook_id, lane) in &mut self.lanes {
            let ends = |hold: &mut Hold| {
                hold.is_over() || (hold.was_stored_at(asked_at) && !is_held(webhook_id))
            };
            if lane.hold.take_if(ends).is_some() {
                while lane.start_runner() {
                    starting.push(*webhook_id);
                }
            }
        }
        starting
    }

    fn count_out(&mut self, leased: &LeasedDelivery) {
        self.deliveries -= 1;
        self.bytes -= leased.event.body.len();
    }
}

#[cfg(test)]
mod tests;
