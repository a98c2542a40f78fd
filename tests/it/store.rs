//! The store against a real Postgres.

use webhook_domain::{
    DeliveryId, DeliveryStatus, Environment, Event, EventType, WebhookId, WebhookStatus,
};
use webhook_store::attempts::{self, NextState};
use webhook_store::deliveries::{self, DeliveryFilter, Order, PageStart};
use webhook_store::destinations::list_destinations;
use webhook_store::{Connection, SealingKeys, StoreError, migrations, transaction};
use webhook_tests::rows::{URL, lease, owe, record, result, take_in, wanting_all};
use webhook_tests::{WebhookSample, World, event, sealing_keys, store_all};

async fn status(connection: &mut Connection, id: DeliveryId) -> (DeliveryStatus, i32) {
    let row = deliveries::find(connection, id)
        .await
        .expect("the delivery is read");
    let row = row.expect("the delivery exists");
    (row.status, row.attempts)
}

/// The number of migrations in the repository.
fn written() -> usize {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    std::fs::read_dir(folder)
        .expect("the folder of migrations")
        .count()
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

/// An Active webhook of production with an event selection.
fn selecting(patterns: &'static [&'static str]) -> WebhookSample<'static> {
    WebhookSample {
        patterns,
        ..WebhookSample::at(URL)
    }
}

/// The webhooks that are owed a fresh `license.activated` event of production, oldest first.
async fn owed_to(connection: &mut Connection) -> Vec<WebhookId> {
    let owed = owe(connection, 1, lease(60)).await;
    let mut owed: Vec<_> = owed.iter().map(|owed| owed.webhook_id).collect();
    owed.sort();
    owed
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_owed_to_webhooks_that_select_its_type() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let mut expected = Vec::new();
    for patterns in [
        &["license.activated"][..],
        &["license.*", "license.activated"],
        &["*"],
    ] {
        expected.push(selecting(patterns).store(&mut connection).await.id);
    }
    selecting(&["contract.*"]).store(&mut connection).await;

    let owed = owed_to(&mut connection).await;

    assert_eq!(owed, expected);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_owed_only_to_active_webhooks_of_its_environment() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let active = selecting(&["*"]).store(&mut connection).await;
    let inactive = WebhookSample {
        status: WebhookStatus::Inactive,
        ..WebhookSample::at(URL)
    };
    inactive.store(&mut connection).await;
    let of_staging = WebhookSample {
        environment: Environment::Staging,
        ..WebhookSample::at(URL)
    };
    of_staging.store(&mut connection).await;

    let owed = owed_to(&mut connection).await;

    assert_eq!(owed, [active.id]);
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

/// Waits until a session of the database waits for a lock.
async fn a_session_waits(world: &World) {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    world
        .becomes("waiting sessions", 1, || world.database.ask(WAITING))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_waits_for_a_cancelled_delivery_is_not_recorded() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;
    let owed = owe(&mut connection, 1, lease(60)).await.remove(0);
    let attempt = result(&owed, 1, NextState::Succeeded);

    let mut waiting = world.database.connection().await;
    let cancelled = transaction(&mut connection, async |connection| {
        let cancelled = deliveries::cancel(connection, owed.id).await?;
        let other = tokio::spawn(async move { record(&mut waiting, &[attempt]).await });
        a_session_waits(&world).await;
        Ok::<_, StoreError>((cancelled, other))
    });
    let (cancelled, other) = cancelled.await.expect("the transaction commits");
    other.await.expect("the result is passed over");

    assert!(cancelled.is_some());
    let state = status(&mut connection, owed.id).await;
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
async fn a_result_is_recorded_only_for_the_leased_attempt() {
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

    let pending = (DeliveryStatus::Pending, 1);
    let succeeded = (DeliveryStatus::Succeeded, 2);
    assert_eq!(states, [pending, pending, pending, succeeded]);
    let log = attempts::list(&mut connection, owed.id).await;
    let log = log.expect("the attempts are read");
    let numbers: Vec<_> = log.iter().map(|(attempt, _)| attempt.number).collect();
    assert_eq!(numbers, [1, 1, 2]);
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

    let opened = opened
        .expect("the webhook is read")
        .remove(0)
        .expect("the secret opens");
    assert!(opened.secrets.current.reveal().starts_with("whsec_"));
    assert!(refused.expect("the webhook is read").remove(0).is_err());
    world.end().await;
}

/// Writes an environment that the program does not know into the row of a webhook.
async fn set_unknown_environment(world: &World, webhook_id: WebhookId) {
    let update = format!("UPDATE webhooks SET environment = 'moon' WHERE id = '{webhook_id}'");
    world.database.execute(&update).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_environment_costs_only_the_destination_of_its_webhook() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let before = wanting_all(&mut connection).await.id;
    let odd = wanting_all(&mut connection).await.id;
    let after = wanting_all(&mut connection).await.id;
    set_unknown_environment(&world, odd).await;

    let ids = [before, odd, after];
    let read = list_destinations(&mut connection, &sealing_keys(), &ids).await;

    let read = read.expect("the other destinations are read");
    let mut readable: Vec<_> = read.iter().flatten().map(|d| d.webhook_id).collect();
    readable.sort();
    assert_eq!(readable, [before, after]);
    assert_eq!(read.len(), 3, "an error for the odd webhook");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_environment_costs_no_other_webhook_an_event() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let before = wanting_all(&mut connection).await.id;
    let odd = wanting_all(&mut connection).await.id;
    let after = wanting_all(&mut connection).await.id;
    set_unknown_environment(&world, odd).await;

    let owed = owed_to(&mut connection).await;

    assert_eq!(owed, [before, after]);
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
            .expect("the page is read");
        let Some(last) = page.last() else { break };
        place.after = Some(last.id);
        listed.extend(page.iter().map(|d| d.id));
    }

    let mut expected: Vec<_> = owed.iter().map(|d| d.id).collect();
    expected.sort_by(|a, b| b.cmp(a));
    assert_eq!(listed, expected);
    world.end().await;
}
