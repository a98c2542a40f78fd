use std::collections::VecDeque;
use std::time::{Duration, Instant};

use webhook_domain::{Outcome, WebhookId};
use webhook_store::{LaneRoom, LeasedDelivery, LeasedFrom};

use super::fast::{IntakePace, LANE_CAPACITY, Throughput};
use super::hold::Hold;
use super::pace::Pace;
use super::queues::Queues;
use super::room::{Pressure, RoomFor};

/// How long a lane takes no deliveries after an impossible attempt, for example with an unreadable
/// secret.
const REST: Duration = Duration::from_secs(5);

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
            self.rests_until = Some(Instant::now() + REST);
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
        self.free(self.waiting.of(leased), RoomFor::Backlog, pressure) > 0
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
    pub(super) fn observe(&mut self, outcome: &Outcome, leased_from: LeasedFrom) {
        self.pace.observe(outcome);
        // At once, as the recorder writes the hold with a later batch: other runners of the lane must
        // not send meanwhile.
        if let Some(time) = outcome.hold() {
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
    pub(super) fn empty(&mut self, which: fn(&LeasedDelivery) -> bool) -> Vec<LeasedDelivery> {
        self.waiting.empty(which)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fast::UNMEASURED_AGE;
    use super::*;
    use bytes::Bytes;
    use chrono::DateTime;
    use webhook_domain::{DeliveryId, Environment, Event, EventId, EventType};

    fn leased(number: u128, attempts: i32) -> LeasedDelivery {
        LeasedDelivery {
            id: DeliveryId(uuid::Uuid::from_u128(number)),
            webhook_id: WebhookId(uuid::Uuid::from_u128(1)),
            webhook_version: 1,
            max_concurrency: None,
            rate_limited: false,
            attempts,
            schedule_from: 0,
            schedule_since: DateTime::UNIX_EPOCH,
            throttled: 0,
            ordering_key: None,
            event: Event {
                id: EventId(uuid::Uuid::from_u128(number)),
                event_type: EventType::LicenseCreated,
                environment: Environment::Production,
                timestamp: DateTime::UNIX_EPOCH,
                test_for: None,
                body: Bytes::new(),
            },
            lease_until: DateTime::UNIX_EPOCH,
            leased_from: LeasedFrom::Backlog,
        }
    }

    fn offer(lane: &mut Lane, leased: LeasedDelivery, pressure: Pressure) -> bool {
        let has_room = lane.has_room(&leased, pressure);
        if has_room {
            lane.take(leased, 2);
        }
        has_room
    }

    fn fill(lane: &mut Lane, numbers: std::ops::Range<u128>, attempts: i32) -> usize {
        numbers
            .filter(|number| offer(lane, leased(*number, attempts), Pressure::Normal))
            .count()
    }

    #[test]
    fn first_attempts_and_retries_go_in_turn_and_each_has_its_room() {
        let mut lane = Lane::new(2);
        let first_attempts = fill(&mut lane, 0..200, 0);
        let retries = fill(&mut lane, 200..203, 1);
        assert!(lane.start_runner());

        let order: Vec<u128> = std::iter::from_fn(|| lane.next())
            .map(|leased| leased.id.0.as_u128())
            .take(8)
            .collect();

        assert_eq!((first_attempts, retries), (LANE_CAPACITY, 3));
        assert_eq!(order, [0, 200, 1, 201, 2, 202, 3, 4]);
    }

    #[test]
    fn no_more_runners_start_than_the_pace_allows() {
        let mut lane = Lane::new(2);
        fill(&mut lane, 0..5, 0);

        let started = (0..5).filter(|_| lane.start_runner()).count();
        lane.observe(
            &Outcome::Overloaded { retry_after: None },
            LeasedFrom::Backlog,
        );
        let second_goes_on = lane.next().is_some();

        assert_eq!(started, 2);
        assert!(!second_goes_on, "one runner too many ends");
        assert!(lane.next().is_some());
    }

    #[test]
    fn when_memory_is_tight_a_lane_takes_only_what_it_can_run() {
        let mut lane = Lane::new(2);

        let taken = (0..5).filter(|number| offer(&mut lane, leased(*number, 0), Pressure::Tight));

        assert_eq!(taken.count(), 2);
        assert_eq!(
            lane.room(
                WebhookId(uuid::Uuid::nil()),
                RoomFor::Backlog,
                Pressure::Tight
            )
            .retries,
            0
        );
    }

    #[test]
    fn when_bodies_are_heavy_only_an_empty_lane_takes_one() {
        let mut lane = Lane::new(2);
        let when_empty = lane.has_room(&leased(0, 0), Pressure::Heavy);
        offer(&mut lane, leased(0, 0), Pressure::Normal);

        assert!(when_empty && !lane.has_room(&leased(1, 0), Pressure::Heavy));
    }

    fn end(lane: &mut Lane, attempts: usize, leased_from: LeasedFrom) {
        for _ in 0..attempts {
            lane.observe(&Outcome::Accepted, leased_from);
        }
    }

    fn room(lane: &Lane, room_for: RoomFor) -> i32 {
        let id = WebhookId(uuid::Uuid::nil());
        lane.room(id, room_for, Pressure::Normal).first_attempts
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_lane_holds_a_seconds_worth_of_which_half_is_left_to_what_waits() {
        let mut lane = Lane::new(2);
        let slow = [RoomFor::NewEvents, RoomFor::Backlog].map(|room_for| room(&lane, room_for));

        end(&mut lane, 25, LeasedFrom::Backlog);
        let fast = [RoomFor::NewEvents, RoomFor::Backlog].map(|room_for| room(&lane, room_for));
        tokio::time::advance(Duration::from_secs(1)).await;
        let slow_again = room(&lane, RoomFor::Backlog);

        assert_eq!((slow, fast), ([64, 128], [500, 1_000]));
        assert_eq!(slow_again, 128);
    }

    #[tokio::test(start_paused = true)]
    async fn new_events_wait_only_for_a_lane_that_is_fast_with_new_events() {
        let mut lane = Lane::new(2);

        lane.throughput.opened -= UNMEASURED_AGE;
        end(&mut lane, 1_000, LeasedFrom::Backlog);
        let fed_by_the_backlog = lane.room_worth_waiting_for();
        end(&mut lane, 500, LeasedFrom::Intake);
        fill(&mut lane, 0..900, 0);
        let fed_by_the_broker = lane.room_worth_waiting_for();

        assert_eq!(fed_by_the_backlog, None);
        assert_eq!(fed_by_the_broker, Some(4_096 / 2 - 900));
    }

    #[test]
    fn a_lane_whose_receiver_asked_to_wait_sends_only_tests_and_claims_nothing() {
        let mut lane = Lane::new(2);
        fill(&mut lane, 0..3, 0);
        let mut test = leased(3, 0);
        test.event.test_for = Some(test.webhook_id);
        let hold = |seconds| Outcome::of_status(429, Some(Duration::from_secs(seconds)));

        lane.observe(&hold(60), LeasedFrom::Intake);
        lane.observe(&hold(0), LeasedFrom::Intake);
        let starts = lane.start_runner();
        offer(&mut lane, test, Pressure::Normal);
        let (with_a_test, first) = (lane.start_runner(), lane.next());
        let then = lane.next().map(|leased| leased.id);

        assert!(!starts && with_a_test && !lane.is_idle());
        assert!(first.is_some_and(|leased| leased.is_test()) && then.is_none());
        assert_eq!(room(&lane, RoomFor::Backlog), 0);
        assert_eq!(room(&lane, RoomFor::NewEvents), 64 - 3);
    }

    #[test]
    fn a_lane_that_runs_low_asks_once_for_more() {
        let mut lane = Lane::new(2);
        fill(&mut lane, 0..4, 0);
        assert!(lane.start_runner());

        let asked: Vec<bool> = (0..4)
            .map(|_| {
                lane.next();
                lane.wants_more()
            })
            .collect();

        assert_eq!(asked, [false, true, false, false]);
    }
}
