//! The store against a real Postgres.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;
use webhook_domain::{DeliveryStatus, Environment, EventType, FailureClass, WebhookStatus};
use webhook_store::attempts::{self, Attempt, AttemptResult, NextState};
use webhook_store::claims::{self, ClaimRequest, ClaimedDelivery, LaneRoom};
use webhook_store::deliveries::{self, DeliveryFilter, OwedDelivery};
use webhook_store::webhooks::{self, Webhook};
use webhook_store::{Connection, SealingKey, migrations};
use webhook_tests::{SEALING_KEY, World, event, store_webhook};

fn key() -> SealingKey {
    SealingKey::parse(SEALING_KEY).expect("a key")
}

/// A lease that ends `seconds` from now, to the microsecond as Postgres keeps it.
fn lease(seconds: i64) -> DateTime<Utc> {
    (Utc::now() + TimeDelta::seconds(seconds)).trunc_subsecs(6)
}

/// An Active webhook that wants every event of production.
async fn wanting_all(connection: &mut Connection) -> Webhook {
    let (production, active) = (Environment::Production, WebhookStatus::Active);
    store_webhook(connection, &key(), production, active, &["*"]).await
}

async fn owe(
    connection: &mut Connection,
    count: usize,
    lease_until: DateTime<Utc>,
) -> Vec<OwedDelivery> {
    let events: Vec<_> = (0..count)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect();
    let seed = Uuid::now_v7();
    deliveries::take_in(connection, &events, lease_until, seed)
        .await
        .expect("it is taken in")
}

async fn claim(
    connection: &mut Connection,
    lanes: &[LaneRoom],
    default_free: i32,
) -> Vec<ClaimedDelivery> {
    let request = ClaimRequest {
        lanes,
        default_free,
        limit: 100,
        lease_until: lease(60),
    };
    claims::claim_due(connection, &request)
        .await
        .expect("the claim runs")
}

fn result(delivery: &OwedDelivery, number: i32, next: NextState) -> AttemptResult {
    let failed = next != NextState::Succeeded;
    AttemptResult {
        attempt: Attempt {
            delivery_id: delivery.id,
            number,
            started_at: Utc::now().trunc_subsecs(6),
            duration_ms: 12,
            response_status: Some(if failed { 500 } else { 200 }),
            response_headers: vec![("content-type".into(), "text/plain".into())],
            response_body: b"answer".to_vec(),
            response_body_truncated: false,
            failure_class: failed.then_some(FailureClass::Status),
            failure_detail: failed.then(|| "answered 500".into()),
        },
        next,
    }
}

async fn status(connection: &mut Connection, delivery: &OwedDelivery) -> (DeliveryStatus, i32) {
    let row = deliveries::find(connection, delivery.id)
        .await
        .expect("it reads");
    let row = row.expect("it is there");
    (row.status, row.attempts)
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_up_down_and_up_again() {
    let world = World::new().await;

    migrations::revert_all(&world.database_url)
        .await
        .expect("down");
    let again = migrations::run(&world.database_url).await.expect("up");
    let nothing_left = migrations::run(&world.database_url).await.expect("up");

    assert_eq!((again.len(), nothing_left.len()), (3, 0));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_migrate_once() {
    let world = World::new().await;
    migrations::revert_all(&world.database_url)
        .await
        .expect("down");

    let starts = (0..4).map(|_| {
        let url = world.database_url.clone();
        tokio::spawn(async move { migrations::run(&url).await.expect("up").len() })
    });
    let mut applied = 0;
    for start in starts.collect::<Vec<_>>() {
        applied += start.await.expect("no panic");
    }

    assert_eq!(applied, 3);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_owed_to_active_webhooks_of_its_environment_that_want_its_type() {
    let world = World::new().await;
    let mut connection = world.connection().await;
    let (active, inactive) = (WebhookStatus::Active, WebhookStatus::Inactive);
    let (production, staging) = (Environment::Production, Environment::Staging);
    let mut wanted = Vec::new();
    for (environment, status, patterns, matches) in [
        (production, active, ["license.activated"].as_slice(), true),
        (
            production,
            active,
            ["license.*", "license.activated"].as_slice(),
            true,
        ),
        (production, active, ["*"].as_slice(), true),
        (production, active, ["contract.*"].as_slice(), false),
        (production, inactive, ["*"].as_slice(), false),
        (staging, active, ["*"].as_slice(), false),
    ] {
        let webhook = store_webhook(&mut connection, &key(), environment, status, patterns).await;
        wanted.extend(matches.then_some(webhook.id));
    }

    let owed = owe(&mut connection, 1, lease(60)).await;

    let mut owed: Vec<_> = owed.iter().map(|o| o.webhook_id).collect();
    owed.sort();
    assert_eq!(owed, wanted);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_seen_before_is_owed_once() {
    let world = World::new().await;
    let mut connection = world.connection().await;
    store_webhook(
        &mut connection,
        &key(),
        Environment::Staging,
        WebhookStatus::Active,
        &["*"],
    )
    .await;
    let twice = event(Environment::Staging, EventType::ProductCreated);
    let batch = [twice.clone(), twice];

    let mut owed = Vec::new();
    for _ in 0..2 {
        let taken = deliveries::take_in(&mut connection, &batch, lease(60), Uuid::now_v7()).await;
        owed.extend(taken.expect("it is taken in"));
    }

    assert_eq!(owed.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_due_is_claimed_and_only_once() {
    let world = World::new().await;
    let mut connection = world.connection().await;
    wanting_all(&mut connection).await;
    owe(&mut connection, 2, lease(60)).await;
    let due = owe(&mut connection, 3, lease(-1)).await;

    let first = claim(&mut connection, &[], 10).await;
    let second = claim(&mut connection, &[], 10).await;

    let mut first: Vec<_> = first.iter().map(|c| c.id).collect();
    first.sort();
    assert_eq!(first, due.iter().map(|d| d.id).collect::<Vec<_>>());
    assert!(second.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_takes_no_more_than_each_lane_has_free() {
    let world = World::new().await;
    let mut connection = world.connection().await;
    let mut lanes = Vec::new();
    for free in [0, 2] {
        let webhook_id = wanting_all(&mut connection).await.id;
        lanes.push(LaneRoom { webhook_id, free });
    }
    wanting_all(&mut connection).await;
    owe(&mut connection, 5, lease(-1)).await;

    let claimed = claim(&mut connection, &lanes, 3).await;

    let of = |lane: &LaneRoom| {
        claimed
            .iter()
            .filter(|c| c.webhook_id == lane.webhook_id)
            .count()
    };
    assert_eq!((of(&lanes[0]), of(&lanes[1]), claimed.len()), (0, 2, 5));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_webhooks_pending_deliveries_wait() {
    let world = World::new().await;
    let mut connection = world.connection().await;
    let webhook = wanting_all(&mut connection).await;
    owe(&mut connection, 1, lease(-1)).await;

    let disabled = webhooks::disable(&mut connection, webhook.id, "answered 410").await;
    let claimed = claim(&mut connection, &[], 10).await;

    let after = webhooks::find(&mut connection, webhook.id)
        .await
        .expect("it reads");
    let after = after.expect("it is there");
    assert!(disabled.expect("it runs") && claimed.is_empty());
    assert_eq!(
        (after.version, after.disabled_reason.as_deref()),
        (2, Some("answered 410"))
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_recorded_only_for_the_attempt_that_was_taken() {
    let world = World::new().await;
    let mut connection = world.connection().await;
    wanting_all(&mut connection).await;
    let owed = owe(&mut connection, 1, lease(60)).await[0];
    let retry = result(&owed, 1, NextState::RetryAt(lease(10)));
    let late = result(&owed, 1, NextState::Succeeded);
    let second = result(&owed, 2, NextState::Succeeded);

    let mut moved = Vec::new();
    for results in [[retry.clone()], [retry], [late], [second]] {
        moved.push(
            attempts::record(&mut connection, &results)
                .await
                .expect("it is recorded"),
        );
    }

    assert_eq!(moved, [1, 0, 0, 1]);
    assert_eq!(
        status(&mut connection, &owed).await,
        (DeliveryStatus::Succeeded, 2)
    );
    let log = attempts::list(&mut connection, owed.id)
        .await
        .expect("it reads");
    assert_eq!(log.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 1, 2]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_back_gives_back_only_what_is_still_ours() {
    let world = World::new().await;
    let mut connection = world.connection().await;
    wanting_all(&mut connection).await;
    let ours = lease(60);
    let owed = owe(&mut connection, 2, ours).await;
    let ids = [owed[0].id, owed[1].id];

    let back = claims::hand_back(&mut connection, &ids, &[0, 0], &[ours, lease(30)]).await;
    let claimed = claim(&mut connection, &[], 10).await;

    assert_eq!(back.expect("it runs"), 1);
    assert_eq!(
        claimed.iter().map(|c| c.id).collect::<Vec<_>>(),
        [owed[0].id]
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_sealed_and_opens_with_its_key_only() {
    let world = World::new().await;
    let mut connection = world.connection().await;
    let webhook = wanting_all(&mut connection).await;
    let other = SealingKey::parse("CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=").expect("a key");

    let opened = webhooks::list_destinations(&mut connection, &key(), &[webhook.id]).await;
    let refused = webhooks::list_destinations(&mut connection, &other, &[webhook.id]).await;

    assert!(
        opened.expect("it opens")[0].secrets[0]
            .reveal()
            .starts_with("whsec_")
    );
    assert!(refused.is_err());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_newest_first_page_by_page() {
    let world = World::new().await;
    let mut connection = world.connection().await;
    wanting_all(&mut connection).await;
    let owed = owe(&mut connection, 5, lease(60)).await;

    let mut listed = Vec::new();
    let mut filter = DeliveryFilter {
        limit: 2,
        ..DeliveryFilter::default()
    };
    loop {
        let page = deliveries::list(&mut connection, &filter)
            .await
            .expect("it reads");
        let Some(last) = page.last() else { break };
        filter.after = Some(last.id);
        listed.extend(page.iter().map(|d| d.id));
    }

    let mut expected: Vec<_> = owed.iter().map(|d| d.id).collect();
    expected.sort_by(|a, b| b.cmp(a));
    assert_eq!(listed, expected);
    world.end().await;
}
