use super::super::fast::UNMEASURED_AGE;
use super::*;
use crate::pipeline::sample::{leased, leased_test};
use rstest::rstest;
use uuid::Uuid;
use webhook_domain::Outcome;

const PRESSURES: [Pressure; 3] = [Pressure::Normal, Pressure::Tight, Pressure::Heavy];

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
    let without_deliveries = lane.start_runner();
    fill(&mut lane, 0..5, 0);

    let started = (0..5).filter(|_| lane.start_runner()).count();
    lane.observe(
        &JudgedAnswer::of(Outcome::Overloaded { retry_after: None }),
        LeasedFrom::Backlog,
    );
    let second_goes_on = lane.next().is_some();

    assert_eq!((without_deliveries, started), (false, 2));
    assert!(!second_goes_on, "one runner too many ends");
    assert!(lane.next().is_some());
}

#[test]
fn when_memory_is_tight_a_lane_takes_only_what_it_can_run() {
    let mut lane = Lane::new(2);

    let taken = (0..5).filter(|number| offer(&mut lane, leased(*number, 0), Pressure::Tight));

    assert_eq!(taken.count(), 2);
    assert_eq!(
        lane.room(WebhookId(Uuid::nil()), RoomFor::Backlog, Pressure::Tight)
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
        lane.observe(&JudgedAnswer::of(Outcome::Accepted), leased_from);
    }
}

fn room(lane: &Lane, room_for: RoomFor) -> i32 {
    let id = WebhookId(Uuid::nil());
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
    let test = leased_test(3, 0);
    let hold = |seconds| Outcome::of_status(429, Some(Duration::from_secs(seconds)));

    lane.observe(&JudgedAnswer::of(hold(60)), LeasedFrom::Intake);
    lane.observe(&JudgedAnswer::of(hold(0)), LeasedFrom::Intake);
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

#[test]
fn the_limit_of_a_lane_is_the_reason_why_deliveries_wait() {
    let mut lane = Lane::new(2);
    let mut limits = vec![lane.limit()];
    fill(&mut lane, 0..5, 0);
    limits.push(lane.limit());
    assert!(lane.start_runner() && lane.start_runner());
    limits.push(lane.limit());
    let overloaded = Outcome::Overloaded { retry_after: None };

    lane.observe(&JudgedAnswer::of(overloaded), LeasedFrom::Backlog);
    limits.push(lane.limit());
    lane.hold = Some(Hold::asked(None, Duration::from_secs(60)));
    limits.push(lane.limit());
    lane.rest();
    limits.push(lane.limit());

    let reasons = [LaneLimit::Concurrency, LaneLimit::Slowed].map(Some);
    let stops = [LaneLimit::Hold, LaneLimit::Rest].map(Some);
    assert_eq!(limits[..2], [None, None]);
    assert_eq!((&limits[2..4], &limits[4..]), (&reasons[..], &stops[..]));
}

/// Makes a lane different from a new lane.
type Change = fn(&mut Lane);

const WAITS: Change = |lane| lane.take(leased(0, 0), 2);
const RUNS: Change = |lane| {
    lane.take(leased(0, 0), 2);
    assert!(lane.start_runner() && lane.next().is_some());
};
const SLOWED: Change = |lane| {
    lane.pace
        .observe(&Outcome::Overloaded { retry_after: None });
};
const RESTS: Change = |lane| assert!(lane.rest());
const HELD: Change = |lane| lane.hold = Some(Hold::asked(None, Duration::from_secs(60)));
const FAST: Change = |lane| end(lane, 25, LeasedFrom::Backlog);
const UNCHANGED: Change = |_| ();
const HOLD_IS_OVER: Change = |lane| lane.hold = Some(Hold::asked(None, Duration::ZERO));

#[rstest]
#[case::waits(WAITS, false, true)]
#[case::runs(RUNS, false, false)]
#[case::slowed(SLOWED, false, false)]
#[case::rests(RESTS, false, true)]
#[case::held(HELD, false, true)]
#[case::fast(FAST, false, true)]
#[case::hold_is_over(HOLD_IS_OVER, true, false)]
#[case::unchanged(UNCHANGED, true, false)]
#[tokio::test(start_paused = true)]
async fn a_lane_is_idle_and_has_the_room_of_a_new_lane_while_nothing_happens(
    #[case] change: Change,
    #[case] is_idle: bool,
    #[case] has_room_of_its_own: bool,
) {
    let mut lane = Lane::new(2);

    change(&mut lane);

    assert_eq!(lane.is_idle(), is_idle);
    assert_eq!(lane.has_room_of_its_own(), has_room_of_its_own);
}

#[test]
fn a_lane_that_rests_takes_no_delivery_until_the_rest_is_over() {
    let mut lane = Lane::new(2);

    let begun = [lane.rest(), lane.rest()];
    let resting = PRESSURES.map(|pressure| lane.has_room(&leased(0, 0), pressure));
    lane.rests_until = Some(Instant::now());
    let rested = PRESSURES.map(|pressure| lane.has_room(&leased(0, 0), pressure));

    assert_eq!(begun, [true, false]);
    assert_eq!((resting, rested), ([false; 3], [true; 3]));
    assert!(lane.rest(), "the next rest begins");
}

#[tokio::test(start_paused = true)]
async fn new_events_wait_for_a_full_lane_too_young_to_tell() {
    let mut lane = Lane::new(2);

    let empty = lane.room_worth_waiting_for();
    fill(&mut lane, 0..63, 0);
    let nearly_full = lane.room_worth_waiting_for();
    fill(&mut lane, 63..64, 0);
    let full = lane.room_worth_waiting_for();
    tokio::time::advance(UNMEASURED_AGE).await;

    assert_eq!((empty, nearly_full, full), (None, None, Some(0)));
    assert_eq!(lane.room_worth_waiting_for(), None, "the lane is slow");
}

#[test]
fn deliveries_taken_out_no_longer_wait() {
    let mut lane = Lane::new(2);
    fill(&mut lane, 0..3, 0);
    lane.take(leased_test(3, 0), 2);

    let taken = lane.take_waiting(|leased| !leased.is_test());

    assert_eq!((taken.len(), lane.queued()), (3, 1));
    assert!(lane.start_runner());
    assert_eq!(lane.runners(), 1);
}

#[test]
fn a_lane_with_more_than_its_pace_waiting_asks_for_no_more() {
    let mut lane = Lane::new(2);
    let fresh = lane.wants_more();

    let from_intake = LeasedDelivery {
        leased_from: LeasedFrom::Intake,
        ..leased(0, 0)
    };
    lane.take(from_intake, 2);
    let filled_by_the_intake = lane.wants_more();
    fill(&mut lane, 1..3, 0);
    let with_three_waiting = lane.wants_more();

    assert_eq!((fresh, filled_by_the_intake), (false, false));
    assert!(!with_three_waiting);
}
