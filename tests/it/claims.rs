//! Claims: deliveries that a worker takes out of Postgres, and deliveries left to other workers.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use webhook_domain::{
    CircuitPolicy, DeliveryId, DeliveryOptions, Environment, EventType, JudgedAnswer, Observation,
    Occasion, OrderingField, Outcome, RateLimit, WebhookId, WebhookStatus,
};
use webhook_store::attempts::NextState;
use webhook_store::claims::{self, ClaimRequest};
use webhook_store::webhooks;
use webhook_store::{Connection, LaneRoom, LeasedDelivery, circuits, ordering};
use webhook_tests::rows::{URL, lease, owe, record, result, take_in, wanting_all};
use webhook_tests::{WebhookSample, World, event, events, set_status};

/// Promotes due deliveries and claims deliveries within the room of the lanes.
async fn claim(connection: &mut Connection, lanes: &[LaneRoom], free: i32) -> Vec<LeasedDelivery> {
    let request = ClaimRequest {
        lanes,
        default_free: free,
        ..roomy()
    };
    claim_as(connection, &request).await
}

/// A claim of a worker with room for 100 deliveries in each lane.
fn roomy() -> ClaimRequest<'static> {
    ClaimRequest {
        lanes: &[],
        default_free: 100,
        limit: 1_000,
        max_bytes: i64::MAX,
        lease_until: lease(60),
    }
}

async fn claim_as(connection: &mut Connection, request: &ClaimRequest<'_>) -> Vec<LeasedDelivery> {
    let promoted = claims::promote_due(connection, 10_000).await;
    promoted.expect("due deliveries are promoted");
    let claimed = claims::claim_backlog(connection, request).await;
    claimed.expect("deliveries are claimed")
}

fn ids(claimed: &[LeasedDelivery]) -> HashSet<DeliveryId> {
    claimed.iter().map(|claimed| claimed.id).collect()
}

/// Takes note of `count` failures in a row, a second each, up to `ago` seconds ago.
async fn fail(connection: &mut Connection, webhook_id: WebhookId, count: i64, ago: i64) {
    let seen: Vec<_> = (0..count)
        .map(|number| {
            let ended_at = Utc::now() - TimeDelta::seconds(ago + count - number);
            let answer = JudgedAnswer::of(Outcome::Overloaded { retry_after: None });
            let seen = Observation {
                outcome: answer.outcome,
                occasion: Occasion::Due,
                ended_at,
                rate: answer.rate,
                meaning: answer.meaning,
            };
            (webhook_id, seen)
        })
        .collect();
    let observed = circuits::apply_observations(connection, &seen, &CircuitPolicy::default()).await;
    observed.expect("the failures are noted");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_due_deliveries_are_claimed_and_only_once() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    owe(&mut connection, 2, lease(60)).await;
    let due = owe(&mut connection, 3, lease(-1)).await;

    let first = claim(&mut connection, &[], 10).await;
    let second = claim(&mut connection, &[], 10).await;

    assert_eq!(ids(&first), due.iter().map(|d| d.id).collect());
    assert!(second.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_takes_no_more_than_each_lane_has_free() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let mut lanes = Vec::new();
    for free in [0, 2] {
        lanes.push(LaneRoom {
            webhook_id: wanting_all(&mut connection).await.id,
            first_attempts: free,
            retries: 0,
            queued: 0,
        });
    }
    wanting_all(&mut connection).await;
    owe(&mut connection, 5, lease(-1)).await;

    let claimed = claim(&mut connection, &lanes, 3).await;

    let of = |lane: &LaneRoom| {
        let ours = claimed.iter().filter(|c| c.webhook_id == lane.webhook_id);
        ours.count()
    };
    assert_eq!((of(&lanes[0]), of(&lanes[1]), claimed.len()), (0, 2, 5));
    world.end().await;
}

/// Owes `count` events whose first attempt failed and whose retry is due.
async fn owe_retries(connection: &mut Connection, count: usize) {
    let owed = owe(connection, count, lease(60)).await;
    let due = |delivery| result(delivery, 1, NextState::RetryAt(lease(-100)));
    let failed: Vec<_> = owed.iter().map(due).collect();
    record(connection, &failed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_attempts_and_retries_share_a_claim_and_each_webhook_gets_some() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = wanting_all(&mut connection).await;
    owe_retries(&mut connection, 50).await;
    owe(&mut connection, 50, lease(-1)).await;
    let other = wanting_all(&mut connection).await;
    owe(&mut connection, 1, lease(-1)).await;

    let request = ClaimRequest {
        limit: 20,
        ..roomy()
    };
    let claimed = claim_as(&mut connection, &request).await;

    let of = |webhook_id, retry| {
        let kind = |c: &&LeasedDelivery| c.webhook_id == webhook_id && (c.attempts > 0) == retry;
        claimed.iter().filter(kind).count()
    };
    assert_eq!((of(webhook.id, false), of(webhook.id, true)), (10, 10));
    assert_eq!(of(other.id, false), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_takes_no_more_bytes_than_asked_for_but_at_least_a_delivery() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    owe(&mut connection, 5, lease(-1)).await;

    let mut taken = Vec::new();
    for max_bytes in [1, 450] {
        let request = ClaimRequest {
            max_bytes,
            ..roomy()
        };
        let claimed = claim_as(&mut connection, &request).await;
        let mut bytes = claimed.iter().map(|c| c.event.body.len());
        assert!(bytes.all(|bytes| (150..449).contains(&bytes)));
        taken.push(claimed.len());
    }

    assert_eq!(taken[0], 1);
    assert!((2..5).contains(&taken[1]), "{taken:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_for_many_webhooks_is_read_once() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    for _ in 0..3 {
        wanting_all(&mut connection).await;
    }
    owe(&mut connection, 2, lease(-1)).await;

    let claimed = claim(&mut connection, &[], 10).await;

    let bodies: HashSet<_> = claimed.iter().map(|c| c.event.body.as_ptr()).collect();
    assert_eq!((claimed.len(), bodies.len()), (6, 2));
    assert!(claimed.iter().all(|c| c.event.body.starts_with(b"{\"id\"")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_back_gives_back_only_deliveries_of_the_workers_own_lease() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    let mut owed = owe(&mut connection, 2, lease(60)).await;
    owed[1].lease_until = lease(30);

    let back = claims::hand_back(&mut connection, &owed).await;
    let claimed = claim(&mut connection, &[], 10).await;

    assert_eq!(back.expect("deliveries are handed back"), 1);
    assert_eq!(
        claimed.iter().map(|c| c.id).collect::<Vec<_>>(),
        [owed[0].id]
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_webhooks_pending_deliveries_wait_until_the_webhook_is_active_again() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = wanting_all(&mut connection).await;
    owe(&mut connection, 1, lease(-1)).await;

    let disabled = webhooks::disable(&mut connection, webhook.id, "answered 410").await;
    let waiting = claim(&mut connection, &[], 10).await;
    let after = webhooks::find(&mut connection, webhook.id).await;
    set_status(&mut connection, webhook.id, WebhookStatus::Active).await;
    let claimed = claim(&mut connection, &[], 10).await;

    let after = after
        .expect("the webhook is read")
        .expect("the webhook exists");
    assert!(disabled.expect("the webhook is disabled") && waiting.is_empty());
    assert_eq!(
        (after.version, after.disabled_reason.as_deref()),
        (2, Some("answered 410"))
    );
    assert_eq!(claimed.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_circuit_lets_a_single_probe_through_after_the_pause() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = wanting_all(&mut connection).await;
    fail(&mut connection, webhook.id, 10, 0).await;

    let taken_in = [event(Environment::Production, EventType::LicenseCreated)];
    let taken_in = take_in(&mut connection, &taken_in, lease(60)).await;
    owe(&mut connection, 3, lease(60)).await;
    let claimed = claim(&mut connection, &[], 10).await;
    let early = claims::claim_probes(&mut connection, lease(60)).await;
    let sql = "UPDATE webhook_health SET paused_until = now() - interval '1 s'";
    world.database.execute(sql).await;
    let due = claims::claim_probes(&mut connection, lease(60)).await;
    let again = claims::claim_probes(&mut connection, lease(60)).await;

    assert_eq!((taken_in.leased.len(), taken_in.in_backlog), (0, 1));
    let counts = [early, due, again].map(|probes| probes.expect("probes are claimed").len());
    assert_eq!((claimed.len(), counts), (0, [0, 1, 0]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_gives_tokens_for_the_time_that_passed_and_no_more() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let limited = WebhookSample::at(URL).served(DeliveryOptions {
        rate_limit: Some(RateLimit::per_second(100).expect("a limit")),
        ..DeliveryOptions::default()
    });
    limited.store(&mut connection).await;
    let nothing_leased = owe(&mut connection, 30, lease(60)).await;

    let full = claim(&mut connection, &[], 100).await;
    let just_taken = claim(&mut connection, &[], 100).await;
    let sql = "UPDATE rate_buckets SET tokens = 0, refilled_at = now() - interval '50 ms'";
    world.database.execute(sql).await;
    let refilled = claim(&mut connection, &[], 100).await;

    assert!(nothing_leased.is_empty());
    assert_eq!(full.len(), 10, "a tenth of a second's worth");
    assert!(just_taken.len() < 5, "{}", just_taken.len());
    assert!((5..=10).contains(&refilled.len()), "{}", refilled.len());
    world.end().await;
}

/// Stores an ordered webhook, takes `count` events with the same key in, and claims the first
/// delivery.
async fn claim_head(connection: &mut Connection, count: usize) -> LeasedDelivery {
    let ordered = WebhookSample::at(URL).served(DeliveryOptions {
        ordering: Some(OrderingField::default()),
        ..DeliveryOptions::default()
    });
    ordered.store(connection).await;
    let turns = take_in(connection, &events(count), lease(60)).await.turns;
    let released = ordering::release_heads(connection, turns).await;
    released.expect("the first delivery has its turn");
    claim(connection, &[], 10).await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_delivery_ends_only_while_the_workers_lease_holds() {
    const LEASE: &str = "SELECT next_attempt_at FROM deliveries WHERE next_attempt_at IS NOT NULL";
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let head = claim_head(&mut connection, 2).await;
    let lease: DateTime<Utc> = world.database.ask(LEASE).await;

    let mut delivered = Vec::new();
    for lease_until in [lease - TimeDelta::seconds(60), lease] {
        let mut ended = result(&head, 1, NextState::Succeeded);
        ended.lease_until = lease_until;
        record(&mut connection, &[ended]).await;
        delivered.push(world.database.delivered().await);
    }

    assert_eq!(delivered, [0, 1]);
    world.end().await;
}
