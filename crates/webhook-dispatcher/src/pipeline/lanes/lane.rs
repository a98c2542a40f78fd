//! A lane: the deliveries of one webhook in this worker's memory, the runners that attempt them, and
//! their limits.
//!
//! | state | begins | the lane |
//! | --- | --- | --- |
//! | normal | with the first delivery | takes up to its capacity, and runs as many attempts as its pace allows |
//! | fast | attempts end faster than normal ([`fast`](super::fast)) | has a larger capacity; new events wait for its room |
//! | held | a response has `Retry-After`, or Postgres has a hold | sends tests only, and claims nothing |
//! | resting | an attempt is impossible, for example with an unreadable secret | takes no deliveries for [`LANE_REST`] |
//! | idle | nothing waits, nothing runs, and none of the other states holds | is forgotten |

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use webhook_domain::{JudgedAnswer, WebhookId};
use webhook_store::{LaneRoom, LeasedDelivery, LeasedFrom};

use super::fast::{IntakePace, LANE_CAPACITY, Throughput};
use super::hold::Hold;
use super::pace::Pace;
use super::queues::Queues;
use super::room::{Pressure, RoomFor};
use super::totals::LaneLimit;

/// How long a lane takes no deliveries after an impossible attempt. Without the rest, a delivery would
/// be claimed and handed back without a pause.
const LANE_REST: Duration = Duration::from_secs(5);

/// The deliveries of a webhook in this worker's memory.
pub(super) struct Lane {
    waiting: Queues,
    /// How many runners make attempts.
    runners: usize,
    pace: Pace,
    throughput: Throughput,
    /// Whether the lane was filled from the backlog, where more deliveries may wait.
    more_may_wait: bool,
    /// The lane takes no deliveries until then.
    rests_until: Option<Instant>,
    /// The hold asked for by the receiver, over or not.
    pub(super) hold: Option<Hold>,
}

impl Lane {
    pub(super) fn new(max_concurrency: usize) -> Self {
        Self {
            waiting: Queues::default(),
            runners: 0,
            pace: Pace::new(max_concurrency),
            throughput: Throughput::start(),
            more_may_wait: false,
            rests_until: None,
            hold: None,
        }
    }

    pub(super) fn queued(&self) -> usize {
        self.waiting.len()
    }

    /// How many attempts run, or are about to.
    pub(super) fn runners(&self) -> usize {
        self.runners
    }

    /// Why deliveries wait. `None`: no delivery waits, or the lane gets on.
    pub(super) fn limit(&self) -> Option<LaneLimit> {
        if self.is_resting() {
            return Some(LaneLimit::Rest);
        }
        if self.is_held() {
            return Some(LaneLimit::Hold);
        }
        if self.queued() == 0 || self.runners < self.pace.limit() {
            return None;
        }
        Some(if self.pace.is_full() {
            LaneLimit::Concurrency
        } else {
            LaneLimit::Slowed
        })
    }

    /// Whether no delivery waits and no attempt runs.
    fn is_empty(&self) -> bool {
        self.runners == 0 && self.queued() == 0
    }

    /// Whether the lane can be forgotten, being no different from a new lane.
    pub(super) fn is_idle(&self) -> bool {
        self.is_empty()
            && self.pace.is_full()
            && !self.is_resting()
            && !self.is_held()
            && self.throughput.lane_capacity() == LANE_CAPACITY
    }

    /// How many more new events the lane takes, if room is worth waiting for: in a fast lane, or in a
    /// full lane too young to tell.
    pub(super) fn room_worth_waiting_for(&self) -> Option<usize> {
        let first_attempts = &self.waiting.first_attempts;
        let room = || self.free(first_attempts, RoomFor::NewEvents, Pressure::Normal);
        match self.throughput.intake_pace() {
            IntakePace::Fast => Some(room()),
            IntakePace::Unmeasured => Some(room()).filter(|room| *room == 0),
            IntakePace::Slow => None,
        }
    }

    /// Lets the lane take no deliveries for a while. `false`: the lane rested already.
    pub(super) fn rest(&mut self) -> bool {
        let begins = !self.is_resting();
        if begins {
            self.rests_until = Some(Instant::now() + LANE_REST);
        }
        begins
    }

    fn is_resting(&self) -> bool {
        self.rests_until.is_some_and(|until| Instant::now() < until)
    }

    /// Whether the receiver is to get no requests now, tests aside.
    fn is_held(&self) -> bool {
        self.hold.is_some_and(|hold| !hold.is_over())
    }

    /// Whether the lane's room differs from the room of a new lane.
    pub(super) fn has_room_of_its_own(&self) -> bool {
        self.queued() > 0
            || self.is_resting()
            || self.is_held()
            || self.throughput.lane_capacity() > LANE_CAPACITY
    }

    /// How many more deliveries the lane takes.
    pub(super) fn room(
        &self,
        webhook_id: WebhookId,
        room_for: RoomFor,
        pressure: Pressure,
    ) -> LaneRoom {
        // No claims for a held receiver. New events wait in the lane for a moment, until the intake can
        // read of the hold: handed back before, the deliveries would be claimed by another worker
        // without knowledge of the hold.
        let claims_nothing = room_for == RoomFor::Backlog && self.is_held();
        let free = |queue: &VecDeque<LeasedDelivery>| match self.free(queue, room_for, pressure) {
            _ if claims_nothing => 0,
            free => i32::try_from(free).unwrap_or(i32::MAX),
        };
        LaneRoom {
            webhook_id,
            first_attempts: free(&self.waiting.first_attempts),
            retries: free(&self.waiting.retries),
            queued: i32::try_from(self.queued()).unwrap_or(i32::MAX),
        }
    }

    /// Whether the lane has room for a delivery.
    pub(super) fn has_room(&self, leased: &LeasedDelivery, pressure: Pressure) -> bool {
        self.free(self.waiting.queue_for(leased), RoomFor::Backlog, pressure) > 0
    }

    fn free(
        &self,
        queue: &VecDeque<LeasedDelivery>,
        room_for: RoomFor,
        pressure: Pressure,
    ) -> usize {
        if self.is_resting() {
            return 0;
        }
        match pressure {
            Pressure::Heavy => usize::from(self.is_empty()),
            Pressure::Tight => self.pace.limit().saturating_sub(self.queued()),
            Pressure::Normal => {
                let share = room_for.share(self.throughput.lane_capacity());
                share.saturating_sub(queue.len())
            }
        }
    }

    /// Puts a delivery into the lane, which must have room.
    pub(super) fn take(&mut self, leased: LeasedDelivery, max_concurrency: usize) {
        self.pace.set_max(max_concurrency);
        self.more_may_wait |= leased.leased_from == LeasedFrom::Backlog;
        self.waiting.push(leased);
    }

    /// Whether one more runner is to be started. The runner counts from now on.
    pub(super) fn start_runner(&mut self) -> bool {
        let starts = self.may_start() && self.runners < self.pace.limit();
        self.runners += usize::from(starts);
        starts
    }

    /// The next assignment of a runner. `None` ends the runner, which counts no more.
    pub(super) fn next(&mut self) -> Option<LeasedDelivery> {
        // The pace may have slowed since the runner started.
        let next = if self.runners > self.pace.limit() {
            None
        } else {
            self.pop()
        };
        self.runners -= usize::from(next.is_none());
        next
    }

    fn may_start(&self) -> bool {
        self.queued() > 0 && (!self.is_held() || self.waiting.has_test())
    }

    fn pop(&mut self) -> Option<LeasedDelivery> {
        if self.is_held() {
            self.waiting.pop_test()
        } else {
            self.waiting.pop()
        }
    }

    /// Takes note of how an attempt ended.
    pub(super) fn observe(&mut self, answer: &JudgedAnswer, leased_from: LeasedFrom) {
        self.pace.observe(&answer.outcome);
        // At once, as the recorder writes the hold with a later batch: other runners of the lane must
        // not send meanwhile.
        if let Some(time) = answer.hold() {
            self.hold = Some(Hold::asked(self.hold, time));
        }
        self.throughput.count(leased_from);
    }

    /// Whether the lane runs low and more deliveries may wait in the backlog; `true` once for each
    /// filling.
    pub(super) fn wants_more(&mut self) -> bool {
        self.queued() <= self.pace.limit() && std::mem::take(&mut self.more_may_wait)
    }

    /// Takes waiting deliveries out, where `which` is true.
    pub(super) fn take_waiting(
        &mut self,
        which: fn(&LeasedDelivery) -> bool,
    ) -> Vec<LeasedDelivery> {
        self.waiting.take_waiting(which)
    }
}

#[cfg(test)]
mod tests;
