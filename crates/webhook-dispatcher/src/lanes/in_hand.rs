//! What the lanes hold: how much that is, and for what there is room.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use webhook_domain::{Outcome, WebhookId};
use webhook_store::LeasedDelivery;

use super::hold::Hold;
use super::lane::{LANE_CAPACITY, Lane};
use super::room::{For, Room};

/// So many deliveries in hand are plenty; beyond, a lane takes only what it can run at once.
const PLENTY: usize = 8_192;

/// The bodies in hand may have so many bytes; beyond, a lane takes only what finds it empty.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// So many bytes are claimed at once even then, for lanes that are empty.
const SPARE_BYTES: usize = 1024 * 1024;

/// What the lanes hold, queued and running.
#[derive(Default)]
pub(super) struct InHand {
    lanes: HashMap<WebhookId, Lane>,
    deliveries: usize,
    bytes: usize,
    closed: bool,
}

/// What became of a delivery in a runner's hand.
pub(super) enum Turn {
    /// An attempt was made.
    Made(Outcome),
    /// It is given back.
    NotMade,
    /// It is given back for this reason, and its webhook is left alone for a while: a secret that cannot
    /// be opened, or a process without free files, would go round without a pause.
    NotPossible(String),
}

/// What follows from the end of a turn.
#[derive(Default)]
pub(super) struct News {
    pub(super) wants_more: bool,
    pub(super) starts_runner: bool,
    /// Whether the lane is left alone from now on.
    pub(super) rests: bool,
}

impl InHand {
    /// What there is room for now.
    pub(super) fn room(&self, whose: For, concurrency: usize) -> Room {
        let (tight, heavy) = (self.is_tight(), self.is_heavy());
        let lanes = self.lanes.iter();
        let lanes = lanes.filter(|(_, lane)| lane.is_remarkable() || heavy);
        let free = match (tight, heavy) {
            (_, true) => 1,
            (true, false) => concurrency,
            (false, false) => whose.share(LANE_CAPACITY),
        };
        let bytes = MAX_BYTES.saturating_sub(self.bytes).max(SPARE_BYTES);
        Room {
            lanes: lanes
                .map(|(id, lane)| lane.room(*id, whose, tight, heavy))
                .collect(),
            default_free: i32::try_from(free).unwrap_or(i32::MAX),
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        }
    }

    /// The webhooks that have something in hand.
    pub(super) fn open(&self) -> Vec<WebhookId> {
        self.lanes.keys().copied().collect()
    }

    /// Forgets lanes that are over.
    pub(super) fn forget_idle(&mut self) {
        self.lanes.retain(|_, lane| !lane.is_idle());
    }

    /// Takes nothing more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// There are plenty of deliveries in hand.
    fn is_tight(&self) -> bool {
        self.deliveries >= PLENTY
    }

    /// Their bodies are as large as they may be.
    fn is_heavy(&self) -> bool {
        self.bytes >= MAX_BYTES
    }

    /// For how many new events the fast lanes have room, if each of them gets each.
    pub(super) fn room_worth_waiting_for(&self) -> usize {
        let fast = self.lanes.values().filter_map(Lane::room_worth_waiting_for);
        let (mut count, mut room) = (0, usize::MAX);
        for one in fast {
            count += 1;
            room = room.min(one);
        }
        let all_together = PLENTY.saturating_sub(self.deliveries);
        room.min(all_together.checked_div(count).unwrap_or(usize::MAX))
    }

    /// Takes deliveries in: tells for which webhooks a runner is to be started, and gives back what
    /// has no room. Whether there are plenty in hand is judged before, as it was when they were
    /// leased.
    pub(super) fn take_all(
        &mut self,
        leased: Vec<LeasedDelivery>,
        concurrency: usize,
    ) -> (Vec<WebhookId>, Vec<LeasedDelivery>) {
        let (mut starting, mut too_many) = (Vec::new(), Vec::new());
        let tight = self.is_tight();
        for leased in leased {
            let webhook_id = leased.webhook_id;
            if !self.has_room(&leased, tight) {
                too_many.push(leased);
            } else if self.take(leased, concurrency) {
                starting.push(webhook_id);
            }
        }
        (starting, too_many)
    }

    fn has_room(&self, leased: &LeasedDelivery, tight: bool) -> bool {
        if self.closed {
            return false;
        }
        match self.lanes.get(&leased.webhook_id) {
            Some(lane) => lane.has_room(leased, tight, self.is_heavy()),
            None => true,
        }
    }

    /// Takes a delivery in, and tells whether a runner is to be started for it.
    fn take(&mut self, leased: LeasedDelivery, concurrency: usize) -> bool {
        let asked = leased
            .max_concurrency
            .and_then(|max| usize::try_from(max).ok());
        let max_concurrency = asked.unwrap_or(concurrency);
        self.deliveries += 1;
        self.bytes += leased.event.body.len();
        let lane = self
            .lanes
            .entry(leased.webhook_id)
            .or_insert_with(|| Lane::new(max_concurrency));
        lane.take(leased, max_concurrency);
        lane.start_runner()
    }

    /// What a runner does next; `None` ends it.
    pub(super) fn next(&mut self, webhook_id: WebhookId) -> Option<LeasedDelivery> {
        let lane = self.lanes.get_mut(&webhook_id)?;
        let next = lane.next();
        if lane.is_idle() {
            self.lanes.remove(&webhook_id);
        }
        next
    }

    /// Takes note of what became of a delivery.
    pub(super) fn finish(&mut self, leased: &LeasedDelivery, turn: &Turn) -> News {
        self.put_down(leased);
        let mut news = News::default();
        if let Some(lane) = self.lanes.get_mut(&leased.webhook_id) {
            match turn {
                Turn::Made(outcome) => lane.observe(outcome, leased.leased_from),
                Turn::NotMade => {}
                Turn::NotPossible(_) => news.rests = lane.rest(),
            }
            news.wants_more = lane.wants_more();
            // One is for the runner that has just finished.
            news.starts_runner = lane.queued() > 1 && lane.start_runner();
        }
        news
    }

    /// Takes out of what waits for a webhook `which`.
    pub(super) fn empty(
        &mut self,
        webhook_id: WebhookId,
        which: fn(&LeasedDelivery) -> bool,
    ) -> Vec<LeasedDelivery> {
        let lane = self.lanes.get_mut(&webhook_id);
        let waiting = lane.map(|lane| lane.empty(which)).unwrap_or_default();
        for leased in &waiting {
            self.put_down(leased);
        }
        waiting
    }

    /// Holds a webhook's lane, if it is open, for so long, and takes out of it what waits, tests aside.
    pub(super) fn hold(&mut self, webhook_id: WebhookId, time: Duration) -> Vec<LeasedDelivery> {
        if let Some(lane) = self.lanes.get_mut(&webhook_id) {
            lane.hold = Some(Hold::known(lane.hold, time));
        }
        self.empty(webhook_id, |leased| !leased.is_test())
    }

    /// Postgres has the holds of these webhooks by now, or will never have them.
    pub(super) fn settle_holds(&mut self, webhook_ids: &[WebhookId]) {
        for webhook_id in webhook_ids {
            let lane = self.lanes.get_mut(webhook_id);
            if let Some(hold) = lane.and_then(|lane| lane.hold.as_mut()) {
                hold.settle();
            }
        }
    }

    /// Ends holds that are over, or that Postgres had no more at a time when it had been told of them.
    /// Tells for which webhooks a runner is to be started, as what came in meanwhile waits.
    pub(super) fn end_holds(
        &mut self,
        is_held: impl Fn(&WebhookId) -> bool,
        asked_at: Instant,
    ) -> Vec<WebhookId> {
        let mut starting = Vec::new();
        for (webhook_id, lane) in &mut self.lanes {
            let ends = |hold: &mut Hold| {
                hold.is_over() || (hold.was_settled_at(asked_at) && !is_held(webhook_id))
            };
            if lane.hold.take_if(ends).is_some() {
                while lane.start_runner() {
                    starting.push(*webhook_id);
                }
            }
        }
        starting
    }

    fn put_down(&mut self, leased: &LeasedDelivery) {
        self.deliveries -= 1;
        self.bytes -= leased.event.body.len();
    }
}
