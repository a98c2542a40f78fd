//! `migrate --check`.

use webhook_tests::World;

use super::{FORGET_A_MIGRATION, POSTGRES_AWAY, run, run_with};

const CHECK: [&str; 2] = ["migrate", "--check"];

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_an_up_to_date_schema_ends_with_0() {
    let world = World::new().await;

    let checked = run(&world, &CHECK).await;

    assert_eq!(checked.code, Some(0), "{}", checked.told);
    assert_eq!(checked.printed, "the schema is up to date\n");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_a_pending_migration_and_applies_none() {
    let world = World::new().await;
    world.database.execute(FORGET_A_MIGRATION).await;

    let checked = run(&world, &CHECK).await;
    let again = run(&world, &CHECK).await;

    assert_eq!(checked.code, Some(1));
    assert_eq!(checked.printed.lines().count(), 1, "{}", checked.printed);
    assert!(checked.printed.starts_with("2026-"), "{}", checked.printed);
    assert!(
        checked.told.contains("run `webhook-api migrate`"),
        "{}",
        checked.told
    );
    assert_eq!(again.printed, checked.printed);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_without_postgres_ends_with_1_and_with_a_wrong_address_with_2() {
    let world = World::new().await;

    let away = run_with(&world, &[POSTGRES_AWAY], &CHECK).await;
    let wrong = run_with(&world, &[("DATABASE_URL", "hunter2")], &CHECK).await;

    assert_eq!(away.code, Some(1), "{}", away.told);
    assert!(
        away.told.contains("cannot connect to Postgres"),
        "{}",
        away.told
    );
    assert_eq!(wrong.code, Some(2), "{}", wrong.told);
    assert!(!(away.told + &wrong.told).contains("hunter2"));
    world.end().await;
}
