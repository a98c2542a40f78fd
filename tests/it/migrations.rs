//! What is in the tables when a migration comes, comes through it.

use webhook_tests::{WebhookSample, World};

const APART_UP: &str = include_str!("../../migrations/2026-11-25-000012_deliveries_apart/up.sql");
const APART_DOWN: &str =
    include_str!("../../migrations/2026-11-25-000012_deliveries_apart/down.sql");
const TOGETHER_UP: &str =
    include_str!("../../migrations/2026-11-25-000013_exchanges_together/up.sql");
const TOGETHER_DOWN: &str =
    include_str!("../../migrations/2026-11-25-000013_exchanges_together/down.sql");

const HOLDS_UP: &str = include_str!("../../migrations/2026-11-27-000014_holds/up.sql");
const HOLDS_DOWN: &str = include_str!("../../migrations/2026-11-27-000014_holds/down.sql");

/// 1,000 deliveries of each status, with an attempt each of which not all was text.
const ROWS: &str = include_str!("migrations/rows_before_apart.sql");

/// Rows of one table that are not in another, columns by name.
fn missing(table: &str, columns: &str, other: &str) -> String {
    format!(
        "SELECT count(*) FROM (SELECT {columns} FROM {table} EXCEPT SELECT {columns} FROM {other}) AS missing"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_and_what_was_said_come_through_in_both_directions() {
    let world = World::new().await;
    world.database.execute(TOGETHER_DOWN).await;
    world.database.execute(APART_DOWN).await;
    world.database.execute(ROWS).await;

    world.database.execute(APART_UP).await;
    world.database.execute(TOGETHER_UP).await;
    let apart: Vec<i64> = vec![
        world
            .database
            .ask("SELECT count(*) FROM deliveries_pending")
            .await,
        world
            .database
            .ask("SELECT count(*) FROM deliveries_ended")
            .await,
        world.database.ask("SELECT count(*) FROM exchanges").await,
        world
            .database
            .ask("SELECT count(*) FROM attempts JOIN exchanges ON exchanges.id = exchange_id")
            .await,
    ];
    world.database.execute(TOGETHER_DOWN).await;
    world.database.execute(APART_DOWN).await;

    assert_eq!(apart, [1_000, 3_000, 40, 4_000]);
    let delivery = "id, status, attempts, last_answer, next_attempt_at, backlog, ordering_sequence";
    let exchange = "delivery_id, number, started_at, request_url, request_headers::jsonb,
        response_headers::jsonb, response_body, response_body_truncated";
    for (table, columns) in [("deliveries", delivery), ("exchanges", exchange)] {
        let before = format!("{table}_before");
        assert_eq!(
            world
                .database
                .ask::<i64>(&missing(&before, columns, table))
                .await,
            0
        );
        assert_eq!(
            world
                .database
                .ask::<i64>(&missing(table, columns, &before))
                .await,
            0
        );
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_without_holds_finds_the_webhooks_that_are_failing_and_no_others() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let failing = WebhookSample::at("https://a.example.com/")
        .store(&mut connection)
        .await
        .id;
    let held = WebhookSample::at("https://b.example.com/")
        .store(&mut connection)
        .await
        .id;
    let rows = format!(
        "INSERT INTO webhook_health (webhook_id, failing_since, failures, held_until)
         VALUES ('{failing}', now(), 3, now() + interval '1 h'), ('{held}', now(), 0, now() + interval '1 h')"
    );
    world.database.execute(&rows).await;

    world.database.execute(HOLDS_DOWN).await;
    let before: i64 = world
        .database
        .ask("SELECT count(*) FROM webhook_health")
        .await;
    world.database.execute(HOLDS_UP).await;
    let still_held: i64 = world
        .database
        .ask("SELECT count(held_until) FROM webhook_health")
        .await;

    assert_eq!((before, still_held), (1, 0));
    drop(connection);
    world.end().await;
}
