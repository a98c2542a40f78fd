use webhook_tests::{PgBouncer, Service, World};

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pgbouncer_in_transaction_mode_both_programs_name_the_mode_and_end() {
    let world = World::new().await;
    let bouncer = PgBouncer::start(&world, "transaction").await;
    let variables = [("DATABASE_URL", bouncer.database_url.as_str())];

    for (program, arguments) in [
        ("webhook-api", &["keys", "create", "--role", "owner"][..]),
        ("webhook-api", &["migrate"]),
        ("webhook-api", &["serve"]),
        ("webhook-dispatcher", &[]),
    ] {
        let ended = Service::run_to_end(program, &world, &variables, arguments).await;

        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success(), "{program}: {told}");
        assert!(
            told.contains("PgBouncer") && told.contains("pool_mode = session"),
            "{program}: {told}"
        );
    }
    bouncer.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pgbouncer_in_session_mode_both_programs_serve() {
    let world = World::new().await;
    let bouncer = PgBouncer::start(&world, "session").await;
    let variables = [("DATABASE_URL", bouncer.database_url.as_str())];

    let api = Service::api_with(&world, &variables).await;
    let dispatcher = Service::dispatcher_with(&world, &variables);

    let ready = async || {
        let answer = reqwest::get(format!("{}/readyz", api.url)).await;
        answer.is_ok_and(|answer| answer.status() == 200)
    };
    world.until("the API is ready", ready).await;
    let consumes = async || world.broker.consumers().await == 1;
    world.until("the dispatcher consumes", consumes).await;
    dispatcher.kill().await;
    api.kill().await;
    bouncer.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pgbouncer_in_session_mode_a_key_is_created() {
    let world = World::new().await;
    let bouncer = PgBouncer::start(&world, "session").await;
    let variables = [("DATABASE_URL", bouncer.database_url.as_str())];

    let create = ["keys", "create", "--role", "owner"];
    let created = Service::run_to_end("webhook-api", &world, &variables, &create).await;

    let told = String::from_utf8_lossy(&created.stderr);
    assert!(created.status.success(), "{told}");
    bouncer.stop().await;
    world.end().await;
}
