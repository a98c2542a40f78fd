//! Fast lanes: how many deliveries a lane holds, and how long new events wait for room.
//!
//! A new delivery without room goes through the backlog: two writes, and a second read of the body. In a
//! benchmark that empties a full queue, nine of ten deliveries took the detour with lanes of 128. Larger
//! fast lanes, and waiting for room in a fast lane, brought the benchmark's ratio to a bare loop from 0.28
//! to 0.49 (docs/performance.md, decision 12).
//!
//! ```text
//! attempts ended per second   0         128            1,280           4,096       ►
//! a queue of the lane holds   │   128    │  as many as end in a second    │  4,096
//! new events without room     │  go to the backlog      │  wait up to 50 ms first
//! ```
//!
//! For the wait only attempts of new events count, not those of the backlog.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use webhook_store::LeasedFrom;

/// How many first attempts, and how many retries, a lane holds at least. Further deliveries wait in
/// Postgres.
pub(super) const LANE_CAPACITY: usize = 128;

/// How many first attempts, and how many retries, the fastest lane holds.
const MAX_LANE_CAPACITY: usize = 4_096;

/// The attempts per second of a fast lane. A fast lane empties the capacity of a normal lane in a tenth
/// of a second, so the wait for room is short.
const FAST_PER_SECOND: usize = 10 * LANE_CAPACITY;

/// A younger lane has no measured speed yet, and the intake waits for room as in a fast lane.
pub(super) const UNMEASURED_AGE: Duration = Duration::from_millis(50);

/// How long new events wait at most. Then the intake reads on, and deliveries without room go to the
/// backlog.
const MAX_WAIT_FOR_ROOM: Duration = Duration::from_millis(50);

/// How often the intake looks whether fast lanes have room.
const ROOM_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The room worth a statement: a statement for a few events costs nearly as much as for many.
const WORTHWHILE_ROOM: usize = LANE_CAPACITY / 2;

/// How many new events the intake should read now: the room of the fullest fast lane, once that room is
/// worth a statement. `None`: no limit, because no fast lane is full or [`MAX_WAIT_FOR_ROOM`] has passed.
pub(super) async fn wait_for_room(room: impl Fn() -> Option<usize>) -> Option<usize> {
    let worthwhile = async {
        loop {
            match room() {
                Some(room) if room < WORTHWHILE_ROOM => sleep(ROOM_POLL_INTERVAL).await,
                room => return room,
            }
        }
    };
    timeout(MAX_WAIT_FOR_ROOM, worthwhile).await.ok().flatten()
}

/// How fast a lane's attempts end.
#[derive(Debug)]
pub(super) struct Throughput {
    pub(super) opened: Instant,
    all: Speed,
    /// Attempts of deliveries from the intake only: a lane busy with the backlog has no room for new
    /// events soon.
    from_intake: Speed,
}

/// Whether new events should wait for a full lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IntakePace {
    Fast,
    /// The lane is too young to tell.
    Unmeasured,
    Slow,
}

impl Throughput {
    /// The throughput of a new lane.
    pub(super) fn start() -> Self {
        Self {
            opened: Instant::now(),
            all: Speed::default(),
            from_intake: Speed::default(),
        }
    }

    /// Counts an attempt that ended now.
    pub(super) fn count(&mut self, leased_from: LeasedFrom) {
        self.all.count();
        if leased_from == LeasedFrom::Intake {
            self.from_intake.count();
        }
    }

    /// How many deliveries each queue of the lane holds: as many as end in a second, within limits.
    pub(super) fn lane_capacity(&self) -> usize {
        self.all
            .per_second()
            .clamp(LANE_CAPACITY, MAX_LANE_CAPACITY)
    }

    pub(super) fn intake_pace(&self) -> IntakePace {
        if self.from_intake.per_second() >= FAST_PER_SECOND {
            IntakePace::Fast
        } else if self.opened.elapsed() < UNMEASURED_AGE {
            IntakePace::Unmeasured
        } else {
            IntakePace::Slow
        }
    }
}

/// The length of the spans in which attempts are counted. A burst raises the speed for at least one
/// span, at most two.
const SPEED_WINDOW: Duration = Duration::from_millis(250);

/// The least time by which the attempts of the running span are divided: in the first instant of a span
/// a single attempt would look like thousands per second.
const MIN_SPEED_WINDOW: Duration = Duration::from_millis(25);

/// How many attempts ended per second lately.
#[derive(Debug, Clone, Copy, Default)]
struct Speed {
    span: Option<Span>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    began: Instant,
    count: usize,
    /// Attempts per second in the span before.
    per_second_before: usize,
}

impl Speed {
    fn count(&mut self) {
        self.count_at(Instant::now());
    }

    /// The higher speed of the last two spans.
    fn per_second(&self) -> usize {
        self.per_second_at(Instant::now())
    }

    fn count_at(&mut self, now: Instant) {
        let mut span = self.at(now);
        span.count += 1;
        self.span = Some(span);
    }

    fn per_second_at(&self, now: Instant) -> usize {
        let span = self.at(now);
        let age = now.duration_since(span.began).max(MIN_SPEED_WINDOW);
        per_second(span.count, age).max(span.per_second_before)
    }

    /// The span running at `now`.
    fn at(&self, now: Instant) -> Span {
        let fresh = |per_second_before| Span {
            began: now,
            count: 0,
            per_second_before,
        };
        match self.span {
            None => fresh(0),
            Some(span) => match now.duration_since(span.began) {
                age if age < SPEED_WINDOW => span,
                age if age < 2 * SPEED_WINDOW => fresh(per_second(span.count, SPEED_WINDOW)),
                _ => fresh(0),
            },
        }
    }
}

/// `count` attempts in a span of time, as attempts per second.
fn per_second(count: usize, span: Duration) -> usize {
    count * 1_000 / usize::try_from(span.as_millis()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use rstest::rstest;

    #[test]
    fn what_happened_lately_counts_and_what_is_older_does_not() {
        let (began, mut speed) = (Instant::now(), Speed::default());
        let none = speed.per_second_at(began);
        for _ in 0..100 {
            speed.count_at(began);
        }

        let after = |spans| speed.per_second_at(began + SPEED_WINDOW * spans / 2);

        assert_eq!(none, 0);
        assert_eq!((after(1), after(3), after(5)), (800, 400, 0));
    }

    #[test]
    fn a_span_that_begins_keeps_what_the_last_one_had() {
        let (began, mut speed) = (Instant::now(), Speed::default());
        for _ in 0..10 {
            speed.count_at(began);
        }

        speed.count_at(began + SPEED_WINDOW);

        assert_eq!(speed.per_second_at(began + SPEED_WINDOW), 40);
        assert_eq!(speed.per_second_at(began + SPEED_WINDOW * 2), 4);
    }

    /// How much room is found, and after how many milliseconds, when a look finds the rooms one by one.
    async fn wait(rooms: &[Option<usize>]) -> (Option<usize>, u128) {
        let (began, looks) = (Instant::now(), Cell::new(0));
        let room = || {
            let look = looks.replace(looks.get() + 1);
            *rooms.get(look).or(rooms.last()).expect("a room")
        };
        (wait_for_room(room).await, began.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn new_events_wait_until_the_room_is_worth_a_statement() {
        assert_eq!(wait(&[None]).await, (None, 0));
        assert_eq!(wait(&[Some(64)]).await, (Some(64), 0));
        assert_eq!(wait(&[Some(0), Some(63), Some(65)]).await, (Some(65), 10));
        assert_eq!(wait(&[Some(63)]).await, (None, 50));
    }

    fn throughput(attempts: usize, leased_from: LeasedFrom) -> Throughput {
        let mut throughput = Throughput::start();
        (0..attempts).for_each(|_| throughput.count(leased_from));
        throughput
    }

    #[rstest]
    #[case::idle(0, LeasedFrom::Intake, 128, IntakePace::Unmeasured)]
    #[case::nearly_fast(31, LeasedFrom::Intake, 1_240, IntakePace::Unmeasured)]
    #[case::fast(32, LeasedFrom::Intake, 1_280, IntakePace::Fast)]
    #[case::fastest(1_000, LeasedFrom::Intake, 4_096, IntakePace::Fast)]
    #[case::backlog(32, LeasedFrom::Backlog, 1_280, IntakePace::Unmeasured)]
    #[tokio::test(start_paused = true)]
    async fn a_lane_holds_what_ends_in_a_second_and_is_fast_by_its_new_events(
        #[case] attempts: usize,
        #[case] leased_from: LeasedFrom,
        #[case] capacity: usize,
        #[case] pace: IntakePace,
    ) {
        let throughput = throughput(attempts, leased_from);

        assert_eq!(throughput.lane_capacity(), capacity);
        assert_eq!(throughput.intake_pace(), pace);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_without_new_events_is_unmeasured_first_and_slow_then() {
        let throughput = throughput(0, LeasedFrom::Intake);

        tokio::time::advance(UNMEASURED_AGE - Duration::from_millis(1)).await;
        let before = throughput.intake_pace();
        tokio::time::advance(Duration::from_millis(1)).await;

        assert_eq!(before, IntakePace::Unmeasured);
        assert_eq!(throughput.intake_pace(), IntakePace::Slow);
    }

    #[test]
    fn a_span_without_attempts_forgets_the_span_before() {
        let (began, mut speed) = (Instant::now(), Speed::default());
        speed.count_at(began);

        let last_moment = began + 2 * SPEED_WINDOW - Duration::from_millis(1);

        assert_eq!(speed.per_second_at(last_moment), 4);
        assert_eq!(speed.per_second_at(began + 2 * SPEED_WINDOW), 0);
    }
}
