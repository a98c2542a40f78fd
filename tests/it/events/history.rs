//! The history of webhooks: beginning and versions.

use webhook_domain::{Environment, EventType, WebhookStatus};
use webhook_tests::rows::{lease, owe, take_in, wanting_all};
use webhook_tests::{World, event, set_status};

const UP: &str = include_str!("../../../migrations/2026-11-24-000008_events_explained/up.sql");
const DOWN: &str = include_str!("../../../migrations/2026-11-24-000008_events_explained/down.sql");

/// Each version of the history with the status, whether the version ended at the creation of the
/// webhook, and whether the version began at the webhook's last change.
const KNOWN: &str = "SELECT array_agg(concat_ws(' ', history.version, history.status,
    valid_until = created_at, valid_from = updated_at) ORDER BY history.version)
    FROM webhook_history AS history JOIN webhooks ON webhooks.id = webhook_id";

#[tokio::test(flavor = "multi_thread")]
async fn the_migrated_history_begins_with_the_webhooks_and_matches_at_hand() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = wanting_all(&mut connection).await;
    owe(&mut connection, 2, lease(60)).await;
    set_status(&mut connection, webhook.id, WebhookStatus::Inactive).await;
    let unwanted = event(Environment::Staging, EventType::LicenseCreated);
    take_in(&mut connection, &[unwanted], lease(60)).await;

    world.database.execute(DOWN).await;
    world.database.execute(UP).await;

    let matched = "SELECT array_agg(matched ORDER BY received_at) FROM events";
    let matched: Vec<bool> = world.database.ask(matched).await;
    assert_eq!(matched, [true, true, false]);
    let known: Vec<String> = world.database.ask(KNOWN).await;
    assert_eq!(known, ["0 inactive t f", "2 inactive f t"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_dated_to_its_commit_and_versions_never_overlap() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    wanting_all(&mut connection).await;

    world
        .database
        .execute(include_str!("history/changes.sql"))
        .await;

    let versions: Vec<i64> = world
        .database
        .ask("SELECT array_agg(version ORDER BY valid_from) FROM webhook_history")
        .await;
    assert_eq!(versions, [0, 1, 2, 3]);
    let meet = include_str!("history/versions_meet.sql");
    assert!(world.database.ask::<bool>(meet).await);
    world.end().await;
}
