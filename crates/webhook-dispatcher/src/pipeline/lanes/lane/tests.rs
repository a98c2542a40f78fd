use super::super::fast::UNMEASURED_AGE;
use super::*;
use bytes::Bytes;
use chrono::DateTime;
use webhook_domain::{DeliveryId, Environment, Event, EventId, EventType, Outcome};

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
            trace: None,
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
        &JudgedAnswer::of(Outcome::Overloaded { retry_after: None }),
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
        lane.observe(&JudgedAnswer::of(Outcome::Accepted), leased_from);
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
