//! The history of webhooks, where it begins.

use webhook_domain::{Environment, EventType, WebhookStatus};
use webhook_tests::rows::{lease, owe, take_in, wanting_all};
use webhook_tests::{World, event, set_status};

const UP: &str = include_str!("../../../migrations/2026-11-24-000008_events_explained/up.sql");
const DOWN: &str = include_str!("../../../migrations/2026-11-24-000008_events_explained/down.sql");

#[tokio::test(flavor = "multi_thread")]
async fn history_begins_with_what_is_there_and_tells_no_more_than_it_knows() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = wanting_all(&mut connection).await;
    owe(&mut connection, 2, lease(60)).await;
    set_status(&mut connection, webhook.id, WebhookStatus::Inactive).await;
    let unwanted = event(Environment::Staging, EventType::LicenseCreated);
    take_in(&mut connection, &[unwanted], lease(60)).await;

    world.database.execute(DOWN).await;
    world.database.execute(UP).await;

    let matched: Vec<bool> = world
        .database
        .ask("SELECT array_agg(matched ORDER BY received_at) FROM events")
        .await;
    assert_eq!(matched, [true, true, false]);
    let known: Vec<String> = world
        .database
        .ask(
            "SELECT array_agg(concat_ws(' ', history.version, history.status,
                valid_until = created_at, valid_from = updated_at) ORDER BY history.version)
             FROM webhook_history AS history JOIN webhooks ON webhooks.id = webhook_id",
        )
        .await;
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
    let well: bool = world
        .database
        .ask(include_str!("history/versions_meet.sql"))
        .await;
    assert!(well);
    world.end().await;
}
