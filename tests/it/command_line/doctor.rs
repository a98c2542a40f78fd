//! `doctor`.

use std::time::{Duration, Instant};

use webhook_tests::{PgBouncer, Platform, SilentPort, World};

use super::{Ended, FORGET_A_MIGRATION, POSTGRES_AWAY, run, run_with};

/// Asserts that a problem is told.
#[track_caller]
fn assert_problem(ended: &Ended, area: &str, words: &str) {
    let mut problems = ended
        .printed
        .lines()
        .filter(|line| line.starts_with("PROBLEM"));
    let told = problems.any(|line| line.contains(&format!(" {area}: ")) && line.contains(words));
    assert!(told, "{}", ended.printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_platform_has_no_problem() {
    let platform = Platform::new().await;
    platform.webhook("CRM").create().await;
    let alive = async || platform.world.broker.consumers().await == 1;
    platform.until("the dispatcher consumes", alive).await;

    let well = async || run(&platform.world, &["doctor"]).await.code == Some(0);
    platform.until("the doctor finds no problem", well).await;
    let told = run(&platform.world, &["doctor"]).await.printed;

    for area in [
        "Postgres: the schema is up to date",
        "RabbitMQ: every exchange",
        "sealing keys: ",
        "dispatchers: ",
    ] {
        assert!(
            told.contains(&format!("ok           {area}")),
            "{area}: {told}"
        );
    }
    assert!(told.contains("Settings:\nDATABASE_URL"), "{told}");
    assert!(!told.contains("BwcHBwcHBwcHBwcH"), "{told}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_server_away_each_is_named() {
    let world = World::new().await;
    let away = [POSTGRES_AWAY, ("AMQP_URL", "amqp://me:hunter2@127.0.0.1:9")];

    let checked = run_with(&world, &away, &["doctor"]).await;

    assert_eq!(checked.code, Some(1), "{}", checked.told);
    assert_problem(&checked, "Postgres", "127.0.0.1:9");
    assert_problem(&checked, "RabbitMQ", "127.0.0.1:9");
    assert!(
        checked.printed.contains("not checked  dispatchers"),
        "{}",
        checked.printed
    );
    assert!(!checked.printed.contains("hunter2"), "{}", checked.printed);
    let first = checked.printed.lines().next();
    assert!(first.is_some_and(|line| line.starts_with("PROBLEM")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_say_nothing_hold_the_doctor_up_for_less_than_20_seconds() {
    let world = World::new().await;
    let (postgres, rabbitmq) = (SilentPort::start().await, SilentPort::start().await);
    let urls = [
        format!("postgres://{}/x", postgres.address),
        format!("amqp://{}", rabbitmq.address),
    ];
    let silent = [("DATABASE_URL", urls[0].as_str()), ("AMQP_URL", &urls[1])];

    let began = Instant::now();
    let checked = run_with(
        &world,
        &silent,
        &["doctor", "--url", "https://nowhere.invalid/"],
    )
    .await;

    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    assert_problem(&checked, "Postgres", "no answer in time");
    assert_problem(&checked, "RabbitMQ", "in time");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_migration_is_a_problem() {
    let world = World::new().await;
    world.database.execute(FORGET_A_MIGRATION).await;

    let checked = run(&world, &["doctor"]).await;

    assert_eq!(checked.code, Some(1));
    assert_problem(
        &checked,
        "Postgres",
        "the schema lacks 1 of this version's migrations",
    );
    assert!(
        checked.printed.contains("run `webhook-api migrate`"),
        "{}",
        checked.printed
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_vhost_and_no_dispatcher_are_problems() {
    let world = World::new().await;

    let checked = run(&world, &["doctor"]).await;
    let again = run(&world, &["doctor"]).await;

    assert_eq!(checked.code, Some(1));
    assert_problem(
        &checked,
        "RabbitMQ",
        "parts are missing: exchange webhooks.events",
    );
    assert_problem(&checked, "dispatchers", "no dispatcher is running");
    // The look declares no part.
    assert_problem(&again, "RabbitMQ", "queue webhooks.events");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_opens_no_secret_is_a_problem() {
    let platform = Platform::new().await;
    platform.webhook("CRM").create().await;
    let other = [(
        "WEBHOOK_SECRET_KEY",
        "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=",
    )];

    let checked = run_with(&platform.world, &other, &["doctor"]).await;

    assert_eq!(checked.code, Some(1));
    assert_problem(
        &checked,
        "sealing keys",
        "no key opens the secrets of 1 webhooks",
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_rabbitmq_does_not_give_are_named_and_no_message_is_touched() {
    let platform = Platform::new().await;
    platform.world.broker.listen_to_status().await;
    let url = platform
        .world
        .broker
        .broker_user(["^$", "^webhooks\\.events$", "^$"])
        .await;

    let checked = run_with(&platform.world, &[("AMQP_URL", &url)], &["doctor"]).await;

    let lacking = "write on webhooks.status, write on amq.default, read on webhooks.events, read on webhooks.events.rejected";
    assert_problem(&checked, "RabbitMQ", lacking);
    assert!(
        checked.printed.contains("its arguments are known to users"),
        "{}",
        checked.printed
    );
    assert_eq!(
        platform.world.broker.messages_in("webhooks.events").await,
        0
    );
    assert!(platform.world.broker.told().await.is_empty());
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pgbouncer_in_transaction_mode_is_a_problem() {
    let world = World::new().await;
    let bouncer = PgBouncer::start(&world, "transaction").await;
    let url = [("DATABASE_URL", bouncer.database_url.as_str())];

    let checked = run_with(&world, &url, &["doctor"]).await;

    assert_problem(
        &checked,
        "Postgres",
        "PgBouncer in transaction or statement mode",
    );
    bouncer.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_ends_with_2_and_sound_parts_are_checked() {
    let world = World::new().await;
    let wrong = [
        ("LISTEN", "nowhere"),
        ("WEBHOOK_SECRET_KEY", "hunter2"),
        ("AMQP_URL", "hunter2"),
    ];

    let checked = run_with(&world, &wrong, &["doctor"]).await;

    assert_eq!(checked.code, Some(2), "{}", checked.told);
    assert_problem(&checked, "configuration", "LISTEN cannot be");
    assert!(
        checked
            .printed
            .contains("ok           Postgres: the schema"),
        "{}",
        checked.printed
    );
    assert!(!checked.printed.contains("hunter2"), "{}", checked.printed);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_addresses_of_a_url_are_judged_without_a_request() {
    let world = World::new().await;
    let silent = SilentPort::start().await;
    let url = format!("http://{}/", silent.address);
    let allow_http = ("WEBHOOK_ALLOW_HTTP", "true");
    let strict = [allow_http, ("WEBHOOK_ALLOW_NETWORKS", "")];
    let open = [
        allow_http,
        ("WEBHOOK_ALLOW_NETWORKS", "169.254.0.0/16,127.0.0.0/8"),
    ];

    let refused = run_with(&world, &strict, &["doctor", "--url", &url]).await;
    let accepted = run_with(&world, &open, &["doctor", "--url", &url]).await;
    let nobody = run_with(&world, &open, &["doctor", "--url", "http://127.0.0.1:9/"]).await;

    assert_problem(&refused, "egress", "is refused for webhooks");
    assert!(
        accepted.printed.contains("no request was sent"),
        "{}",
        accepted.printed
    );
    assert_problem(&nobody, "egress", "accepts no connection at 127.0.0.1:9");
    assert!(
        nobody.printed.contains("where clouds hand out credentials"),
        "{}",
        nobody.printed
    );
    world.end().await;
}
