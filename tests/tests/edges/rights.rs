use std::time::Duration;

use url::Url;
use webhook_tests::{Platform, Receiver, Service, Stranger, World};

use super::{arrive, good};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_user_who_may_not_configure_works_with_what_others_declared() {
    let mut platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    let restricted = platform.world.user_who_may_not_configure().await;
    assert!(platform.dispatcher.terminate().await);
    assert!(platform.api.terminate().await);
    let variables = [("AMQP_URL", restricted.as_str())];
    platform.dispatcher = Service::dispatcher_with(&platform.world, &variables);
    platform.api = Service::api_at(&platform.world, &restricted).await;
    let stranger = Stranger::connect(&platform.world).await;
    let (events, messages) = good(5);

    stranger.publish_all(&messages).await;

    arrive(&platform, &receiver, &events, Duration::from_secs(10)).await;
    let ready = async || {
        let answer = platform.ask(reqwest::Method::GET, "/readyz", None).await;
        (answer.0 == 200).then_some(())
    };
    platform
        .world
        .eventually("the API publishes, too", ready)
        .await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_user_may_not_declare_is_named_once_with_what_to_do() {
    let world = World::new().await;
    let restricted = world.user_who_may_not_configure().await;
    let dispatcher = Service::dispatcher_with(&world, &[("AMQP_URL", &restricted)]);

    let told = async || {
        let log = dispatcher.log();
        log.into_iter().find(|line| line.contains("cannot consume"))
    };
    let line = world.eventually("it is told", told).await;
    let began = std::time::Instant::now();
    let tries = async || (began.elapsed() > Duration::from_secs(2)).then_some(());
    world.eventually("it goes on trying", tries).await;

    assert!(
        line.contains("exchange webhooks.events is not declared"),
        "{line}"
    );
    assert!(line.contains("grant `configure`"), "{line}");
    let lines = dispatcher.log();
    let repeated = lines.iter().filter(|line| line.contains("cannot consume"));
    assert_eq!(repeated.count(), 1, "{lines:#?}");
    dispatcher.kill().await;
    world.end().await;
}

/// A user with this name, and the URL by which he connects to the world's database.
async fn postgres_user(world: &World, name: &str, rights: &str) -> String {
    world
        .execute(&format!("CREATE ROLE {name} LOGIN; {rights}"))
        .await;
    let mut url: Url = world.database_url.parse().expect("a URL");
    url.set_username(name).expect("it has a host");
    url.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_user_who_owns_nothing_but_a_schema_can_migrate_and_serve() {
    let world = World::new().await;
    let name = format!("owner_{}", uuid::Uuid::new_v4().simple());
    let rights = format!(
        "CREATE SCHEMA {name} AUTHORIZATION {name}; REVOKE ALL ON SCHEMA public FROM PUBLIC"
    );
    let url = postgres_user(&world, &name, &rights).await;
    let variables = [("DATABASE_URL", url.as_str())];

    let migrated = Service::run_to_end("webhook-api", &world, &variables, &["migrate"]).await;
    let key = Service::run_to_end(
        "webhook-api",
        &world,
        &variables,
        &["keys", "create", "--role", "owner"],
    )
    .await;

    assert!(
        migrated.status.success(),
        "{}",
        String::from_utf8_lossy(&migrated.stderr)
    );
    assert!(
        key.status.success(),
        "{}",
        String::from_utf8_lossy(&key.stderr)
    );
    let tables = format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{name}'");
    assert!(world.ask::<i64>(&tables).await > 10);
    world
        .execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}"))
        .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_user_who_may_not_create_serves_what_others_migrated() {
    let world = World::new().await;
    let name = format!("reader_{}", uuid::Uuid::new_v4().simple());
    let rights = format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"
    );
    let url = postgres_user(&world, &name, &rights).await;
    let variables = [("DATABASE_URL", url.as_str())];

    let key = Service::run_to_end(
        "webhook-api",
        &world,
        &variables,
        &["keys", "create", "--role", "owner"],
    )
    .await;
    let migrated = Service::run_to_end("webhook-api", &world, &variables, &["migrate"]).await;
    world.execute("DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)").await;
    let refused = Service::run_to_end("webhook-api", &world, &variables, &["migrate"]).await;

    assert!(
        key.status.success(),
        "{}",
        String::from_utf8_lossy(&key.stderr)
    );
    assert!(
        migrated.status.success(),
        "{}",
        String::from_utf8_lossy(&migrated.stderr)
    );
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && told.contains("run `webhook-api migrate` as one who may"),
        "{told}"
    );
    world
        .execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}"))
        .await;
    world.end().await;
}
