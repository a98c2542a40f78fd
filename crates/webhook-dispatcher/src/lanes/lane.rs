use std::collections::VecDeque;
use std::time::{Duration, Instant};

use webhook_domain::{Outcome, WebhookId};
use webhook_store::{LaneRoom, LeasedDelivery, LeasedFrom};

use super::hold::Hold;
use super::pace::Pace;
use super::queues::Queues;
use super::room::For;
use super::speed::Speed;

/// How many first attempts, and how many retries, of one webhook wait in memory; further ones
/// wait in Postgres.
pub(super) const LANE_CAPACITY: usize = 128;

/// The same for a webhook that got through so many in the last second.
const FAST_LANE_CAPACITY: usize = 4_096;

/// So long after a lane was opened nobody knows yet whether it is fast.
const YOUNG: Duration = Duration::from_millis(50);

/// How long a webhook that cannot be read is left alone.
const REST: Duration = Duration::from_secs(5);

/// What one webhook has in hand.
pub(super) struct Lane {
    waiting: Queues,
    /// Runners that make attempts.
    running: usize,
    pace: Pace,
    opened: Instant,
    /// How fast attempts end.
    speed: Speed,
    /// How fast those of them end that came straight from the broker.
    intake_speed: Speed,
    /// Whether it was filled from the backlog, where more may wait.
    more_may_wait: bool,
    /// It takes nothing until then.
    rests_until: Option<Instant>,
    /// What its receiver asked for, over or not.
    pub(super) hold: Option<Hold>,
}

impl Lane {
    pub(super) fn new(max_concurrency: usize) -> Self {
        Self {
            waiting: Queues::default(),
            running: 0,
            pace: Pace::new(max_concurrency),
            opened: Instant::now(),
            speed: Speed::default(),
            intake_speed: Speed::default(),
            more_may_wait: false,
            rests_until: None,
            hold: None,
        }
    }

    pub(super) fn queued(&self) -> usize {
        self.waiting.len()
    }

    /// Nothing waits and nothing runs.
    pub(super) fn is_empty(&self) -> bool {
        self.running == 0 && self.queued() == 0
    }

    /// It can be forgotten: nothing is in it, nothing slows it, and it was not fast just now.
    pub(super) fn is_idle(&self) -> bool {
        self.is_empty()
            && self.pace.is_full()
            && !self.is_resting()
            && !self.is_held()
            && self.capacity() == LANE_CAPACITY
    }

    /// A lane holds what it gets through in a second, within limits: what waits in memory instead
    /// of in Postgres is not written twice.
    fn capacity(&self) -> usize {
        self.speed
            .per_second()
            .clamp(LANE_CAPACITY, FAST_LANE_CAPACITY)
    }

    /// How many more new events it takes, if that is worth waiting for: it gets through what it
    /// has been given by the intake in no time, or it may, as far as anybody knows.
    pub(super) fn room_worth_waiting_for(&self) -> Option<usize> {
        let is_fast = self.intake_speed.per_second() >= 10 * LANE_CAPACITY;
        if !is_fast && self.opened.elapsed() >= YOUNG {
            return None;
        }
        let room = self.free(&self.waiting.first_attempts, For::Events, false, false);
        (is_fast || room == 0).then_some(room)
    }

    /// Takes nothing for a while. `false`: it rested already.
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

    /// Whether its receiver is to get nothing now, tests aside.
    pub(super) fn is_held(&self) -> bool {
        self.hold.is_some_and(|hold| !hold.is_over())
    }

    /// Whether its room is not that of a lane that nobody has opened.
    pub(super) fn is_remarkable(&self) -> bool {
        self.queued() > 0 || self.is_resting() || self.is_held() || self.capacity() > LANE_CAPACITY
    }

    /// How many more it takes. `tight`: no more than run at once; `heavy`: one, if it is empty.
    ///
    /// While it is held nothing is claimed for it. New events wait in it for a moment, until the intake
    /// can read of the hold: given back before, they would be claimed by a worker that does not know
    /// of it either.
    pub(super) fn room(
        &self,
        webhook_id: WebhookId,
        whose: For,
        tight: bool,
        heavy: bool,
    ) -> LaneRoom {
        let closed = whose == For::Backlog && self.is_held();
        let free = |queue: &VecDeque<LeasedDelivery>| match self.free(queue, whose, tight, heavy) {
            _ if closed => 0,
            free => i32::try_from(free).unwrap_or(i32::MAX),
        };
        LaneRoom {
            webhook_id,
            first_attempts: free(&self.waiting.first_attempts),
            retries: free(&self.waiting.retries),
            queued: i32::try_from(self.queued()).unwrap_or(i32::MAX),
        }
    }

    /// Whether it takes this delivery.
    pub(super) fn has_room(&self, leased: &LeasedDelivery, tight: bool, heavy: bool) -> bool {
        self.free(self.waiting.of(leased), For::Backlog, tight, heavy) > 0
    }

    fn free(
        &self,
        queue: &VecDeque<LeasedDelivery>,
        whose: For,
        tight: bool,
        heavy: bool,
    ) -> usize {
        if self.is_resting() {
            0
        } else if heavy {
            usize::from(self.is_empty())
        } else if tight {
            self.pace.limit().saturating_sub(self.queued())
        } else {
            whose.share(self.capacity()).saturating_sub(queue.len())
        }
    }

    /// Takes a delivery in that it has room for.
    pub(super) fn take(&mut self, leased: LeasedDelivery, max_concurrency: usize) {
        self.pace.set_max(max_concurrency);
        self.more_may_wait |= leased.leased_from == LeasedFrom::Backlog;
        self.waiting.push(leased);
    }

    /// Whether one more runner may start; it is counted then.
    pub(super) fn start_runner(&mut self) -> bool {
        let starts = self.may_start() && self.running < self.pace.limit();
        self.running += usize::from(starts);
        starts
    }

    /// What a runner does next; `None` ends it, and it is counted out.
    pub(super) fn next(&mut self) -> Option<LeasedDelivery> {
        let next = if self.running > self.pace.limit() {
            None
        } else {
            self.pop()
        };
        self.running -= usize::from(next.is_none());
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
        if let Some(time) = outcome.hold() {
            self.hold = Some(Hold::asked(self.hold, time));
        }
        self.speed.count();
        if leased_from == LeasedFrom::Intake {
            self.intake_speed.count();
        }
    }

    /// Whether it runs low and more may wait for it; told once.
    pub(super) fn wants_more(&mut self) -> bool {
        self.queued() <= self.pace.limit() && std::mem::take(&mut self.more_may_wait)
    }

    /// Takes out of what waits `which`.
    pub(super) fn empty(&mut self, which: fn(&LeasedDelivery) -> bool) -> Vec<LeasedDelivery> {
        self.waiting.empty(which)
    }
}

#[cfg(test)]
mod tests {
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

    fn offer(lane: &mut Lane, leased: LeasedDelivery, tight: bool) -> bool {
        let has_room = lane.has_room(&leased, tight, false);
        if has_room {
            lane.take(leased, 2);
        }
        has_room
    }

    fn fill(lane: &mut Lane, numbers: std::ops::Range<u128>, attempts: i32) -> usize {
        numbers
            .filter(|number| offer(lane, leased(*number, attempts), false))
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

        let taken = (0..5).filter(|number| offer(&mut lane, leased(*number, 0), true));

        assert_eq!(taken.count(), 2);
        assert_eq!(
            lane.room(WebhookId(uuid::Uuid::nil()), For::Backlog, true, false)
                .retries,
            0
        );
    }

    #[test]
    fn when_bodies_are_heavy_only_an_empty_lane_takes_one() {
        let mut lane = Lane::new(2);
        let when_empty = lane.has_room(&leased(0, 0), false, true);
        offer(&mut lane, leased(0, 0), false);

        assert!(when_empty && !lane.has_room(&leased(1, 0), false, true));
    }

    fn end(lane: &mut Lane, attempts: usize, leased_from: LeasedFrom) {
        for _ in 0..attempts {
            lane.observe(&Outcome::Accepted, leased_from);
        }
    }

    fn room(lane: &Lane, whose: For) -> i32 {
        let id = WebhookId(uuid::Uuid::nil());
        lane.room(id, whose, false, false).first_attempts
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_lane_holds_a_seconds_worth_of_which_half_is_left_to_what_waits() {
        let mut lane = Lane::new(2);
        let slow = [For::Events, For::Backlog].map(|whose| room(&lane, whose));

        end(&mut lane, 25, LeasedFrom::Backlog);
        let fast = [For::Events, For::Backlog].map(|whose| room(&lane, whose));
        tokio::time::advance(Duration::from_secs(1)).await;
        let slow_again = room(&lane, For::Backlog);

        assert_eq!((slow, fast), ([64, 128], [500, 1_000]));
        assert_eq!(slow_again, 128);
    }

    #[tokio::test(start_paused = true)]
    async fn new_events_wait_only_for_a_lane_that_is_fast_with_new_events() {
        let mut lane = Lane::new(2);

        lane.opened -= YOUNG;
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
        offer(&mut lane, test, false);
        let (with_a_test, first) = (lane.start_runner(), lane.next());
        let then = lane.next().map(|leased| leased.id);

        assert!(!starts && with_a_test && !lane.is_idle());
        assert!(first.is_some_and(|leased| leased.is_test()) && then.is_none());
        assert_eq!(room(&lane, For::Backlog), 0);
        assert_eq!(room(&lane, For::Events), 64 - 3);
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
