use super::*;
use crate::pipeline::sample::{leased, leased_test};
use bytes::Bytes;
use rstest::rstest;
use uuid::Uuid;
use webhook_domain::{Outcome, RateAdvice};
use webhook_store::LeasedFrom;

use super::super::totals::LaneLimit;

/// A 429 that asks for a pause.
fn throttled(wait: Duration, global: bool) -> JudgedAnswer {
    let outcome = Outcome::Throttled {
        retry_after: Some(wait),
    };
    JudgedAnswer {
        rate: RateAdvice {
            hold: Some(wait),
            global,
        },
        ..JudgedAnswer::of(outcome)
    }
}

#[test]
fn only_a_global_limit_holds_other_webhooks_and_no_later_answer_shortens_the_hold() {
    let (mut table, other) = (LaneTable::default(), WebhookId(Uuid::from_u128(2)));
    table.lanes.insert(other, Lane::new(1));

    table.observe(&throttled(Duration::from_secs(30), false));
    let by_a_single_limit = table.is_held_at_discord(other);
    table.observe(&throttled(Duration::from_secs(30), true));
    table.observe(&throttled(Duration::from_nanos(1), true));
    let by_the_global_limit = table.is_held_at_discord(other);

    assert!(!by_a_single_limit);
    assert!(by_the_global_limit);
    let hold = table.lanes[&other].hold.expect("the lane is held too");
    assert!(!hold.is_over());
}

#[test]
fn the_hold_of_all_webhooks_is_over_by_itself() {
    let (mut table, id) = (LaneTable::default(), WebhookId(Uuid::from_u128(1)));

    table.observe(&throttled(Duration::from_nanos(1), true));
    let ends = Instant::now() + Duration::from_nanos(1);
    while Instant::now() < ends {}

    assert!(!table.is_held_at_discord(id));
}

const MINUTE: Duration = Duration::from_secs(60);

fn webhook(number: u128) -> WebhookId {
    WebhookId(Uuid::from_u128(number))
}

/// A delivery to a webhook, with a body of three bytes.
fn to(webhook_number: u128) -> LeasedDelivery {
    let mut leased = leased(0, 0);
    leased.webhook_id = webhook(webhook_number);
    leased.event.body = Bytes::from_static(b"{ }");
    leased
}

#[test]
fn the_totals_count_deliveries_lanes_and_limits() {
    let mut table = LaneTable::default();
    table.lanes.insert(webhook(3), Lane::new(1));
    let offered = table.take_all(vec![to(1), to(1), to(2)], 1);
    let running = table.next(webhook(2));

    let totals = table.totals();

    assert_eq!(offered.starting, [webhook(1), webhook(2)]);
    assert!(running.is_some() && offered.no_room.is_empty());
    assert_eq!((totals.lanes, totals.busy, totals.running), (3, 2, 2));
    assert_eq!((totals.deliveries, totals.bytes), (3, 9));
    let limited = totals.limited.into_iter().collect::<Vec<_>>();
    assert_eq!(limited, [(LaneLimit::Concurrency, 1)]);
}

#[test]
fn a_receiver_that_asks_for_less_restrains_its_webhook_and_full_concurrency_does_not() {
    let mut table = LaneTable::default();
    table.lanes.insert(webhook(2), Lane::new(1));
    let _ = table.take_all(vec![to(1), to(1)], 1);

    let _ = table.hold(webhook(2), MINUTE);

    assert_eq!(table.restrained_webhooks(), [webhook(2)]);
}

#[rstest]
#[case::empty(0, 0, 64, HEAVY_BYTES)]
#[case::nearly_tight(TIGHT_DELIVERIES - 1, 7, 64, HEAVY_BYTES - 7)]
#[case::tight(TIGHT_DELIVERIES, 0, 5, HEAVY_BYTES)]
#[case::nearly_heavy(1, HEAVY_BYTES - 1, 64, SPARE_BYTES)]
#[case::heavy(1, HEAVY_BYTES, 1, SPARE_BYTES)]
fn pressure_takes_the_room_of_other_lanes(
    #[case] deliveries: usize,
    #[case] bytes: usize,
    #[case] default_free: i32,
    #[case] free_bytes: usize,
) {
    let table = LaneTable {
        deliveries,
        bytes,
        ..LaneTable::default()
    };

    let room = table.room(RoomFor::NewEvents, 5);

    assert_eq!(room.default_free, default_free);
    assert_eq!(usize::try_from(room.bytes), Ok(free_bytes));
}

#[test]
fn a_lane_like_a_new_lane_has_a_room_of_its_own_under_heavy_pressure_only() {
    let mut table = LaneTable::default();
    table.lanes.insert(webhook(1), Lane::new(1));
    let _ = table.take_all(vec![to(2), to(2)], 1);
    let ids = |room: Room| {
        let mut ids: Vec<_> = room.lanes.iter().map(|lane| lane.webhook_id).collect();
        ids.sort_by_key(|id| id.0);
        ids
    };

    let normal = ids(table.room(RoomFor::Backlog, 1));
    table.bytes = HEAVY_BYTES;
    let heavy = ids(table.room(RoomFor::Backlog, 1));

    assert_eq!(normal, [webhook(2)]);
    assert_eq!(heavy, [webhook(1), webhook(2)]);
}

#[test]
fn a_batch_leased_under_normal_pressure_is_taken_whole() {
    let mut table = LaneTable {
        deliveries: TIGHT_DELIVERIES - 1,
        ..LaneTable::default()
    };

    let batch = table.take_all(vec![to(1), to(1), to(1)], 1);
    let next_batch = table.take_all(vec![to(1), to(2)], 1);

    assert!(batch.no_room.is_empty());
    assert_eq!(next_batch.no_room, [to(1)]);
    assert_eq!(next_batch.starting, [webhook(2)]);
}

#[test]
fn a_heavy_body_leaves_room_in_empty_lanes_only_at_once() {
    let mut heavy = to(1);
    heavy.event.body = vec![b' '; HEAVY_BYTES].into();
    let mut table = LaneTable::default();

    let offered = table.take_all(vec![heavy, to(1), to(2)], 1);

    assert_eq!(offered.no_room, [to(1)]);
    assert_eq!(offered.starting, [webhook(1), webhook(2)]);
}

#[test]
fn a_closed_table_takes_no_delivery() {
    let mut table = LaneTable::default();

    table.close();
    let offered = table.take_all(vec![to(1)], 1);

    assert!(offered.starting.is_empty());
    assert_eq!(offered.no_room, [to(1)]);
}

#[test]
fn a_webhook_runs_as_many_attempts_as_its_own_limit_allows() {
    let limited = |max_concurrency| LeasedDelivery {
        max_concurrency,
        ..to(1)
    };
    let starting = |max_concurrency| {
        let batch = vec![limited(max_concurrency); 4];
        LaneTable::default().take_all(batch, 3).starting.len()
    };

    assert_eq!(starting(None), 3);
    assert_eq!(starting(Some(2)), 2);
}

#[test]
fn a_lane_is_forgotten_with_its_last_runner_and_a_finished_delivery_is_counted_out() {
    let mut table = LaneTable::default();
    let _ = table.take_all(vec![to(1), to(2)], 1);
    let leased = table.next(webhook(1)).expect("a delivery");

    let lane_is_open = table.count_out_finished(&leased).is_some();
    let ended = table.next(webhook(1));

    assert!(lane_is_open && ended.is_none());
    assert_eq!(table.webhook_ids(), [webhook(2)]);
    assert_eq!((table.deliveries, table.bytes), (1, 3));
    assert!(table.next(webhook(9)).is_none());
}

#[test]
fn only_lanes_without_deliveries_are_forgotten() {
    let mut table = LaneTable::default();
    table.lanes.insert(webhook(1), Lane::new(1));
    let _ = table.take_all(vec![to(2)], 1);

    table.forget_idle();

    assert_eq!(table.webhook_ids(), [webhook(2)]);
}

#[test]
fn a_held_lane_keeps_its_tests_and_the_other_deliveries_are_counted_out() {
    let mut table = LaneTable::default();
    let _ = table.take_all(vec![to(1), leased_test(7, 0), to(1), to(2)], 1);

    let taken = table.hold(webhook(1), MINUTE);
    let of_no_lane = table.hold(webhook(9), MINUTE);

    assert_eq!(taken, [to(1), to(1)]);
    assert!(of_no_lane.is_empty());
    assert_eq!((table.deliveries, table.bytes), (2, 3));
    let next = table.next(webhook(1));
    assert!(next.is_some_and(|leased| leased.is_test()));
}

/// A table with a held lane in which three deliveries wait.
fn held(hold: Hold) -> LaneTable {
    let (mut table, mut lane) = (LaneTable::default(), Lane::new(2));
    lane.hold = Some(hold);
    table.lanes.insert(webhook(1), lane);
    let offered = table.take_all(vec![to(1), to(1), to(1)], 2);
    assert!(offered.starting.is_empty(), "the lane is held");
    table
}

#[test]
fn a_hold_ends_once_postgres_knew_the_hold_and_has_the_hold_no_more() {
    let mut table = held(Hold::asked(None, MINUTE));
    let asked_before = Instant::now();

    let not_stored = table.end_holds(|_| false, asked_before + MINUTE);
    table.mark_holds_stored(&[webhook(1), webhook(9)]);
    let stored_later = table.end_holds(|_| false, asked_before);
    let still_held = table.end_holds(|_| true, asked_before + MINUTE);
    let ended = table.end_holds(|_| false, asked_before + MINUTE);

    for kept in [not_stored, stored_later, still_held] {
        assert!(kept.is_empty());
    }
    assert_eq!(ended, [webhook(1), webhook(1)], "two runners start");
}

#[test]
fn a_hold_that_is_over_ends_although_postgres_has_the_hold() {
    let mut table = held(Hold::asked(None, MINUTE));
    let lane = table.lanes.get_mut(&webhook(1)).expect("the lane");
    lane.hold = Some(Hold::asked(None, Duration::ZERO));

    let ended = table.end_holds(|_| true, Instant::now());

    assert_eq!(ended, [webhook(1), webhook(1)]);
}

#[rstest]
#[case::no_lane(0, 0, None)]
#[case::by_the_fullest_lane(2, 0, Some(1_948))]
#[case::by_all_lanes_together(2, TIGHT_DELIVERIES - 101, Some(50))]
#[case::tight(2, TIGHT_DELIVERIES + 1, Some(0))]
#[tokio::test(start_paused = true)]
async fn the_fast_lanes_share_the_room_of_all_lanes(
    #[case] lanes: u128,
    #[case] deliveries: usize,
    #[case] room: Option<usize>,
) {
    let mut table = LaneTable {
        deliveries,
        ..LaneTable::default()
    };
    for number in 0..lanes {
        let mut lane = Lane::new(1);
        let accepted = JudgedAnswer::of(Outcome::Accepted);
        (0..500).for_each(|_| lane.observe(&accepted, LeasedFrom::Intake));
        // The first lane is fuller than the others.
        let waiting = if number == 0 { 100 } else { 0 };
        (0..waiting).for_each(|_| lane.take(to(number), 1));
        table.lanes.insert(webhook(number), lane);
    }

    assert_eq!(table.room_of_fast_lanes(), room);
}
