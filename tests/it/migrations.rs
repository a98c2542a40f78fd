//! Rows from before a migration are there after the migration.

use std::time::{Duration, Instant};

use tokio_postgres::NoTls;
use webhook_store::migrations;
use webhook_tests::World;
use webhook_tests::rows::wanting_all;

const APART_UP: &str = include_str!("../../migrations/2026-11-25-000012_deliveries_apart/up.sql");
const APART_DOWN: &str =
    include_str!("../../migrations/2026-11-25-000012_deliveries_apart/down.sql");
const TOGETHER_UP: &str =
    include_str!("../../migrations/2026-11-25-000013_exchanges_together/up.sql");
const TOGETHER_DOWN: &str =
    include_str!("../../migrations/2026-11-25-000013_exchanges_together/down.sql");

const HOLDS_UP: &str = include_str!("../../migrations/2026-11-27-000014_holds/up.sql");
const HOLDS_DOWN: &str = include_str!("../../migrations/2026-11-27-000014_holds/down.sql");

/// 1,000 deliveries of each status, with an attempt each. Some transcripts are no text.
const ROWS: &str = include_str!("migrations/rows_before_apart.sql");

/// Moves the database back to before the deliveries were apart and the exchanges together.
async fn go_back(world: &World) {
    world.database.execute(TOGETHER_DOWN).await;
    world.database.execute(APART_DOWN).await;
}

/// A world with rows from before the two migrations, after the migrations.
async fn world_with_old_rows() -> World {
    let world = World::new().await;
    go_back(&world).await;
    world.database.execute(ROWS).await;
    world.database.execute(APART_UP).await;
    world.database.execute(TOGETHER_UP).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_set_apart_and_transcripts_put_together() {
    let world = world_with_old_rows().await;

    let count = async |rows: &str| {
        let sql = format!("SELECT count(*) FROM {rows}");
        world.database.ask::<i64>(&sql).await
    };
    assert_eq!(count("deliveries_pending").await, 1_000);
    assert_eq!(count("deliveries_ended").await, 3_000);
    assert_eq!(count("exchanges").await, 40);
    let with_transcript = "attempts JOIN exchanges ON exchanges.id = exchange_id";
    assert_eq!(count(with_transcript).await, 4_000);
    world.end().await;
}

/// The columns of deliveries and of transcripts that come through both migrations.
const KEPT_COLUMNS: [(&str, &str); 2] = [
    (
        "deliveries",
        "id, status, attempts, last_answer, next_attempt_at, backlog, ordering_sequence",
    ),
    (
        "exchanges",
        "delivery_id, number, started_at, request_url, request_headers::jsonb,
         response_headers::jsonb, response_body, response_body_truncated",
    ),
];

/// Asserts that each row of `table` is in `other`, columns by name.
async fn assert_all_in(world: &World, table: &str, columns: &str, other: &str) {
    let missing = format!(
        "SELECT count(*) FROM
         (SELECT {columns} FROM {table} EXCEPT SELECT {columns} FROM {other}) AS missing"
    );
    let missing: i64 = world.database.ask(&missing).await;
    assert_eq!(missing, 0, "rows of {table} that are not in {other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_and_transcripts_come_through_in_both_directions() {
    let world = world_with_old_rows().await;

    go_back(&world).await;

    for (table, columns) in KEPT_COLUMNS {
        let before = format!("{table}_before");
        assert_all_in(&world, &before, columns, table).await;
        assert_all_in(&world, table, columns, &before).await;
    }
    world.end().await;
}

/// A webhook with a failing receiver and a webhook whose receiver only asked for a pause.
async fn store_failing_and_held(world: &World) {
    let mut connection = world.database.connection().await;
    let failing = wanting_all(&mut connection).await.id;
    let held = wanting_all(&mut connection).await.id;
    let rows = format!(
        "INSERT INTO webhook_health (webhook_id, failing_since, failures, held_until)
         VALUES ('{failing}', now(), 3, now() + interval '1 h'),
                ('{held}', now(), 0, now() + interval '1 h')"
    );
    world.database.execute(&rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_without_holds_finds_only_the_failing_webhooks() {
    let world = World::new().await;
    store_failing_and_held(&world).await;
    let database = &world.database;

    database.execute(HOLDS_DOWN).await;
    let before: i64 = database.ask("SELECT count(*) FROM webhook_health").await;
    database.execute(HOLDS_UP).await;
    let held = "SELECT count(held_until) FROM webhook_health";
    let still_held: i64 = database.ask(held).await;

    assert_eq!((before, still_held), (1, 0));
    world.end().await;
}

/// The last migration of the release before this one; the next one changes the table `events`.
const BEFORE_TRACES: &str = "20261128000021";

/// Whether a statement waits for a lock of a whole table.
const WAITING: &str =
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

const INSERT_EVENT: &str =
    "INSERT INTO events (id, event_type, environment, occurred_at, body, matched)
    VALUES (gen_random_uuid(), 'license.created', 'production', now(), '{}', false)";

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_a_table_without_holding_up_other_statements() {
    let world = World::new().await;
    let url = world.database.url.clone();
    migrations::revert_behind(&url, BEFORE_TRACES)
        .await
        .expect("down");
    let (report, connection) = tokio_postgres::connect(&url, NoTls)
        .await
        .expect("a session");
    tokio::spawn(connection);
    report
        .batch_execute("BEGIN; SELECT FROM events")
        .await
        .expect("a report");

    let migrated = tokio::spawn(async move { migrations::run(&url).await });
    let waiting = async || world.database.ask::<i64>(WAITING).await == 1;
    world.until("the migration waits", waiting).await;
    let began = Instant::now();
    world.database.execute(INSERT_EVENT).await;
    let held_up = began.elapsed();
    report
        .batch_execute("COMMIT")
        .await
        .expect("the report ends");

    assert!(held_up < Duration::from_secs(2), "{held_up:?}");
    let applied = migrated.await.expect("no panic").expect("up");
    assert!(applied.len() > 1, "{applied:?}");
    world.end().await;
}
