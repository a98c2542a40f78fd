//! What a worker takes out of Postgres, and what it leaves to others.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use webhook_domain::{
    CircuitPolicy, DeliveryId, Environment, EventType, Observation, Occasion, OrderingField,
    Outcome, RateLimit, Serving, WebhookId,
};
use webhook_store::attempts::NextState;
use webhook_store::claims::{self, ClaimRequest};
use webhook_store::webhooks;
use webhook_store::{Connection, LaneRoom, LeasedDelivery, health, ordering};
use webhook_tests::rows::{URL, lease, owe, record, result, take_in, wanting_all};
use webhook_tests::{WebhookSample, World, event, set_status};

/// Promotes what is due and claims it, with room as given.
async fn claim(connection: &mut Connection, lanes: &[LaneRoom], free: i32) -> Vec<LeasedDelivery> {
    let request = ClaimRequest {
        lanes,
        default_free: free,
        limit: 1_000,
        max_bytes: i64::MAX,
        lease_until: lease(60),
    };
    claim_as(connection, &request).await
}

async fn claim_as(connection: &mut Connection, request: &ClaimRequest<'_>) -> Vec<LeasedDelivery> {
    let promoted = claims::promote_due(connection, 10_000).await;
    promoted.expect("it runs");
    let claimed = claims::claim_backlog(connection, request).await;
    claimed.expect("it runs")
}

fn ids(claimed: &[LeasedDelivery]) -> HashSet<DeliveryId> {
    claimed.iter().map(|claimed| claimed.id).collect()
}

/// Takes note of `count` failures in a row, a second each, that ended `ago` seconds ago.
async fn fail(connection: &mut Connection, webhook_id: WebhookId, count: i64, ago: i64) {
    let seen: Vec<_> = (0..count)
        .map(|number| {
            let ended_at = Utc::now() - TimeDelta::seconds(ago + count - number);
            let seen = Observation {
                outcome: Outcome::Overloaded { retry_after: None },
                occasion: Occasion::Due,
                ended_at,
            };
            (webhook_id, seen)
        })
        .collect();
    let observed = health::observe_all(connection, &seen, &CircuitPolicy::default()).await;
    observed.expect("it runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_due_is_claimed_and_only_once() {
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

#[tokio::test(flavor = "multi_thread")]
async fn first_attempts_and_retries_share_a_claim_and_each_webhook_gets_some() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = wanting_all(&mut connection).await;
    let retried = owe(&mut connection, 50, lease(60)).await;
    let results: Vec<_> = retried
        .iter()
        .map(|delivery| result(delivery, 1, NextState::RetryAt(lease(-100))))
        .collect();
    record(&mut connection, &results).await;
    owe(&mut connection, 50, lease(-1)).await;
    let other = wanting_all(&mut connection).await;
    owe(&mut connection, 1, lease(-1)).await;

    let request = ClaimRequest {
        lanes: &[],
        default_free: 100,
        limit: 20,
        max_bytes: i64::MAX,
        lease_until: lease(60),
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
async fn a_claim_takes_no_more_bytes_than_asked_for_but_one_at_least() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    owe(&mut connection, 5, lease(-1)).await;

    let mut taken = Vec::new();
    for max_bytes in [1, 450] {
        let request = ClaimRequest {
            lanes: &[],
            default_free: 100,
            limit: 100,
            max_bytes,
            lease_until: lease(60),
        };
        let claimed = claim_as(&mut connection, &request).await;
        assert!(
            claimed
                .iter()
                .all(|c| (150..449).contains(&c.event.body.len()))
        );
        taken.push(claimed.len());
    }

    assert_eq!(taken[0], 1);
    assert!((2..5).contains(&taken[1]), "{taken:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_many_webhooks_get_is_read_once() {
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
async fn what_has_no_room_waits_and_a_hand_back_gives_back_only_what_is_ours() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    let mut owed = owe(&mut connection, 2, lease(60)).await;
    owed[1].lease_until = lease(30);

    let back = claims::hand_back(&mut connection, &owed).await;
    let claimed = claim(&mut connection, &[], 10).await;

    assert_eq!(back.expect("it runs"), 1);
    assert_eq!(
        claimed.iter().map(|c| c.id).collect::<Vec<_>>(),
        [owed[0].id]
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_webhooks_pending_deliveries_wait_until_it_is_active_again() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = wanting_all(&mut connection).await;
    owe(&mut connection, 1, lease(-1)).await;

    let disabled = webhooks::disable(&mut connection, webhook.id, "answered 410").await;
    let waiting = claim(&mut connection, &[], 10).await;
    let after = webhooks::find(&mut connection, webhook.id).await;
    let active = webhook_domain::WebhookStatus::Active;
    set_status(&mut connection, webhook.id, active).await;
    let claimed = claim(&mut connection, &[], 10).await;

    let after = after.expect("it reads").expect("it is there");
    assert!(disabled.expect("it runs") && waiting.is_empty());
    assert_eq!(
        (after.version, after.disabled_reason.as_deref()),
        (2, Some("answered 410"))
    );
    assert_eq!(claimed.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_circuit_lets_one_probe_through_when_its_pause_is_over() {
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

    assert_eq!((taken_in.leased.len(), taken_in.waiting), (0, 1));
    let counts = [early, due, again].map(|probes| probes.expect("it runs").len());
    assert_eq!((claimed.len(), counts), (0, [0, 1, 0]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_gives_tokens_for_the_time_that_passed_and_no_more() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let sample = WebhookSample {
        serving: Serving {
            rate_limit: Some(RateLimit::new(100).expect("a limit")),
            ..Serving::default()
        },
        ..WebhookSample::at(URL)
    };
    sample.store(&mut connection).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_delivery_moves_only_while_its_lease_is_ours() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let sample = WebhookSample {
        serving: Serving {
            ordering: Some(OrderingField::default()),
            ..Serving::default()
        },
        ..WebhookSample::at(URL)
    };
    sample.store(&mut connection).await;
    let two = [(); 2].map(|()| event(Environment::Production, EventType::LicenseUpdated));
    let ordered = take_in(&mut connection, &two, lease(60)).await.turns;
    ordering::release_heads(&mut connection, ordered)
        .await
        .expect("it runs");
    let head = claim(&mut connection, &[], 10).await.remove(0);
    let mine: DateTime<Utc> = world
        .database
        .ask("SELECT next_attempt_at FROM deliveries WHERE next_attempt_at IS NOT NULL")
        .await;

    let mut moved = Vec::new();
    for lease_until in [mine - TimeDelta::seconds(60), mine] {
        let mut ended = result(&head, 1, NextState::Succeeded);
        ended.lease_until = lease_until;
        record(&mut connection, &[ended]).await;
        moved.push(world.database.delivered().await);
    }

    assert_eq!(moved, [0, 1]);
    world.end().await;
}
