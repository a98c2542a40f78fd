use std::time::{Duration, Instant};

use url::Url;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Platform, Receiver, Service, World};

/// As docs/operating.md names them: configure, write, read.
const DECLARES: [&str; 3] = [
    r"^webhooks\.",
    r"^(webhooks\..*|amq\.default)$",
    r"^webhooks\.",
];

/// The same for a user who finds everything declared.
const USES: [&str; 3] = [
    "^$",
    r"^(webhooks\.(events|status)|amq\.default)$",
    r"^webhooks\.events",
];

/// Starts both programs anew with these variables.
async fn restart(platform: &mut Platform, variables: &[(&str, &str)]) {
    let dispatcher = Service::dispatcher_with(&platform.world, variables);
    let api = Service::api_with(&platform.world, variables).await;
    let ended = std::mem::replace(&mut platform.dispatcher, dispatcher);
    assert!(ended.terminate().await);
    let ended = std::mem::replace(&mut platform.api, api);
    assert!(ended.terminate().await);
}

/// An event comes in over HTTP and arrives, and what is no event is requeued.
async fn all_works(platform: &Platform, receiver: &Receiver) {
    let ready = async || {
        let answer = platform.ask(reqwest::Method::GET, "/readyz", None).await;
        (answer.0 == 200).then_some(())
    };
    platform.world.eventually("the API is ready", ready).await;
    let before = receiver.count();
    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    let arrived = async || (receiver.count() > before).then_some(());
    platform.world.eventually("it arrives", arrived).await;
    platform.world.broker.put_rejected("no event").await;
    let message = super::rejected(platform, 1).await.remove(0);
    let path = format!(
        "/api/v1/rejected-messages/{}/requeue",
        message["id"].as_str().expect("an id")
    );
    let (requeued, told) = platform.ask(reqwest::Method::POST, &path, None).await;
    assert_eq!(requeued, 204, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_rights_that_are_documented_are_enough() {
    let world = World::new().await;
    let declares = world.broker.broker_user(DECLARES).await;
    let mut platform = Platform::with_broker(world, &declares).await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    restart(&mut platform, &[("AMQP_URL", &declares)]).await;

    all_works(&platform, &receiver).await;

    let discarded = platform
        .post("/api/v1/rejected-messages/discard", &serde_json::json!({}))
        .await;
    assert_eq!(discarded.0, 200);
    let uses = platform.world.broker.broker_user(USES).await;
    restart(&mut platform, &[("AMQP_URL", &uses)]).await;
    all_works(&platform, &receiver).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_user_may_not_declare_is_named_once_with_what_to_do() {
    let world = World::new().await;
    let restricted = world.broker.broker_user(USES).await;
    let dispatcher = Service::dispatcher_with(&world, &[("AMQP_URL", &restricted)]);

    let told = async || {
        let log = dispatcher.log();
        log.into_iter().find(|line| line.contains("cannot consume"))
    };
    let line = world.eventually("it is told", told).await;
    let began = Instant::now();
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

/// A user with this name and these rights, and the URL by which he connects to the world's database.
async fn postgres_user(world: &World, name: &str, rights: &str) -> String {
    world
        .database
        .execute(&format!("CREATE ROLE {name} LOGIN; {rights}"))
        .await;
    let mut url: Url = world.database.url.parse().expect("a URL");
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

    let key = ["keys", "create", "--role", "owner"];
    for arguments in [&["migrate"][..], &key] {
        let ended = Service::run_to_end("webhook-api", &world, &variables, arguments).await;
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "{told}");
    }

    let tables = format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{name}'");
    assert!(world.database.ask::<i64>(&tables).await > 10);
    world
        .database
        .execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}"))
        .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_user_who_may_not_create_serves_what_others_migrated() {
    let mut platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_at(&receiver.url).await;
    let name = format!("user_{}", uuid::Uuid::new_v4().simple());
    let rights = format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"
    );
    let url = postgres_user(&platform.world, &name, &rights).await;
    let variables = [("DATABASE_URL", url.as_str())];

    restart(&mut platform, &variables).await;
    all_works(&platform, &receiver).await;
    let newest = "DELETE FROM __diesel_schema_migrations
        WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";
    platform.world.database.execute(newest).await;
    let refused =
        Service::run_to_end("webhook-api", &platform.world, &variables, &["migrate"]).await;

    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{told}");
    assert!(
        told.contains("run `webhook-api migrate` as a user with these rights"),
        "{told}"
    );
    platform.dispatcher.kill().await;
    platform.api.kill().await;
    platform
        .world
        .database
        .execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}"))
        .await;
    platform.world.end().await;
}
