//! The store against a real Postgres.

use webhook_domain::{DeliveryId, DeliveryStatus, Environment, Event, EventType, WebhookStatus};
use webhook_store::attempts::{self, NextState};
use webhook_store::deliveries::{self, DeliveryFilter, Order, PageStart};
use webhook_store::destinations::list_destinations;
use webhook_store::{Connection, SealingKeys, StoreError, migrations, transaction};
use webhook_tests::rows::{URL, lease, owe, record, result, take_in, wanting_all};
use webhook_tests::{WebhookSample, World, event, sealing_keys, store_all};

async fn status(connection: &mut Connection, id: DeliveryId) -> (DeliveryStatus, i32) {
    let row = deliveries::find(connection, id).await.expect("it reads");
    let row = row.expect("it is there");
    (row.status, row.attempts)
}

/// How many migrations there are.
fn written() -> usize {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    std::fs::read_dir(folder).expect("it is there").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_up_down_and_up_again() {
    let world = World::new().await;

    migrations::revert_all(&world.database.url)
        .await
        .expect("down");
    let again = migrations::run(&world.database.url).await.expect("up");
    let nothing_left = migrations::run(&world.database.url).await.expect("up");

    assert_eq!((again.len(), nothing_left.len()), (written(), 0));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_migrate_once() {
    let world = World::new().await;
    migrations::revert_all(&world.database.url)
        .await
        .expect("down");

    let starts = (0..4).map(|_| {
        let url = world.database.url.clone();
        tokio::spawn(async move { migrations::run(&url).await.expect("up").len() })
    });
    let mut applied = 0;
    for start in starts.collect::<Vec<_>>() {
        applied += start.await.expect("no panic");
    }

    assert_eq!(applied, written());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_owed_to_active_webhooks_of_its_environment_that_want_its_type() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
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
        let sample = WebhookSample {
            environment,
            status,
            patterns,
            ..WebhookSample::at(URL)
        };
        let webhook = sample.store(&mut connection).await;
        wanted.extend(matches.then_some(webhook.id));
    }

    let owed = owe(&mut connection, 1, lease(60)).await;

    let mut owed: Vec<_> = owed.iter().map(|o| o.webhook_id).collect();
    owed.sort();
    assert_eq!(owed, wanted);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_for_too_many_webhooks_are_taken_in_by_several_statements() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let samples: Vec<_> = (0..600).map(|_| WebhookSample::at(URL)).collect();
    store_all(&mut connection, &samples).await;
    let batch: Vec<Event> = (0..10)
        .map(|_| event(Environment::Production, EventType::LicenseCreated))
        .collect();

    let first = take_in(&mut connection, &batch, lease(60)).await;
    let second = take_in(&mut connection, &batch[first.events..], lease(60)).await;

    assert_eq!((first.events, first.leased.len()), (8, 4_800));
    assert_eq!((second.events, second.leased.len()), (2, 1_200));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_delivery_that_ends_meanwhile_finds_nothing() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    let owed = owe(&mut connection, 1, lease(60)).await.remove(0);
    let attempt = result(&owed, 1, NextState::Succeeded);

    let (mut waiting, id) = (world.database.connection().await, owed.id);
    let cancelled = transaction(&mut connection, async |connection| {
        let cancelled = deliveries::cancel(connection, id).await?;
        let other = tokio::spawn(async move { record(&mut waiting, &[attempt]).await });
        let waits = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waits = async || (world.database.ask::<i64>(waits).await == 1).then_some(());
        world.eventually("the other one waits", waits).await;
        Ok::<_, StoreError>((cancelled, other))
    });
    let (cancelled, other) = cancelled.await.expect("it is committed");
    other.await.expect("it is no error");

    assert!(cancelled.is_some());
    let state = status(&mut connection, id).await;
    assert_eq!(state, (DeliveryStatus::Cancelled, 0));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_seen_before_is_owed_once() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    let twice = event(Environment::Production, EventType::ProductCreated);
    let batch = [twice.clone(), twice];

    let mut owed = Vec::new();
    for _ in 0..2 {
        owed.extend(take_in(&mut connection, &batch, lease(60)).await.leased);
    }

    assert_eq!(owed.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_recorded_only_for_the_attempt_that_was_taken() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    let owed = owe(&mut connection, 1, lease(60)).await.remove(0);
    let retry = result(&owed, 1, NextState::RetryAt(lease(10)));
    let late = result(&owed, 1, NextState::Succeeded);
    let second = result(&owed, 2, NextState::Succeeded);

    let mut states = Vec::new();
    for results in [[retry.clone()], [retry], [late], [second]] {
        record(&mut connection, &results).await;
        states.push(status(&mut connection, owed.id).await);
    }

    let (pending, succeeded) = (DeliveryStatus::Pending, DeliveryStatus::Succeeded);
    assert_eq!(
        states,
        [(pending, 1), (pending, 1), (pending, 1), (succeeded, 2)]
    );
    let log = attempts::list(&mut connection, owed.id)
        .await
        .expect("it reads");
    assert_eq!(
        log.iter().map(|(a, _)| a.number).collect::<Vec<_>>(),
        [1, 1, 2]
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_sealed_and_opens_with_its_key_only() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = wanting_all(&mut connection).await;
    let other = SealingKeys::parse("CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=").expect("a key");

    let opened = list_destinations(&mut connection, &sealing_keys(), &[webhook.id]).await;
    let refused = list_destinations(&mut connection, &other, &[webhook.id]).await;

    let opened = opened.expect("it reads").remove(0).expect("it opens");
    assert!(opened.secrets.current.reveal().starts_with("whsec_"));
    assert!(refused.expect("it reads").remove(0).is_err());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_newest_first_page_by_page() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    let owed = owe(&mut connection, 5, lease(60)).await;

    let mut listed = Vec::new();
    let all = DeliveryFilter::default();
    let mut place = PageStart {
        order: Order::Newest,
        after: None,
        limit: 2,
    };
    loop {
        let page = deliveries::list(&mut connection, &all, &place)
            .await
            .expect("it reads");
        let Some(last) = page.last() else { break };
        place.after = Some(last.id);
        listed.extend(page.iter().map(|d| d.id));
    }

    let mut expected: Vec<_> = owed.iter().map(|d| d.id).collect();
    expected.sort_by(|a, b| b.cmp(a));
    assert_eq!(listed, expected);
    world.end().await;
}
