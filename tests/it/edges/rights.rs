use std::time::Duration;

use reqwest::Method;
use url::Url;
use webhook_tests::{Platform, Receiver, Service, World};

use super::{platform, rejected};

/// The rights in docs/operating.md: configure, write, read.
const DECLARES: [&str; 3] = [
    r"^webhooks\.",
    r"^(webhooks\..*|amq\.default)$",
    r"^webhooks\.",
];

/// The rights for a user of declared exchanges and queues.
const USES: [&str; 3] = [
    "^$",
    r"^(webhooks\.(events|status)|amq\.default)$",
    r"^webhooks\.events",
];

/// Starts both programs anew with `variables`.
async fn restart(platform: &mut Platform, variables: &[(&str, &str)]) {
    platform.restart_dispatcher(variables).await;
    let api = Service::api_with(&platform.world, variables).await;
    let ended = std::mem::replace(&mut platform.api, api);
    assert!(ended.terminate().await);
}

/// Asserts that an event comes in over HTTP and arrives, and that a rejected message is requeued.
async fn assert_all_works(platform: &Platform, receiver: &Receiver) {
    let ready = async || platform.ask(Method::GET, "/readyz", None).await.0 == 200;
    platform.until("the API is ready", ready).await;
    let before = receiver.count();
    platform.publish_fresh().await;
    let arrived = async || receiver.count() > before;
    platform.until("the event arrives", arrived).await;
    platform.world.broker.put_rejected("no event").await;
    let message = rejected(platform, 1).await.remove(0);
    let path = format!(
        "/api/v1/rejected-messages/{}/requeue",
        message["id"].as_str().expect("an id")
    );
    let (requeued, told) = platform.ask(Method::POST, &path, None).await;
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

    assert_all_works(&platform, &receiver).await;

    let discarded = platform
        .post("/api/v1/rejected-messages/discard", &serde_json::json!({}))
        .await;
    assert_eq!(discarded.0, 200);
    let uses = platform.world.broker.broker_user(USES).await;
    restart(&mut platform, &[("AMQP_URL", &uses)]).await;
    assert_all_works(&platform, &receiver).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_a_broker_user_may_not_declare_is_named_once_with_the_missing_right() {
    let world = World::new().await;
    let restricted = world.broker.broker_user(USES).await;
    let dispatcher = Service::dispatcher_with(&world, &[("AMQP_URL", &restricted)]);

    let told = async || {
        let log = dispatcher.log();
        log.into_iter().find(|line| line.contains("cannot consume"))
    };
    let line = world.eventually("the dispatcher tells", told).await;
    // The time is the trial: the dispatcher tries again meanwhile.
    tokio::time::sleep(Duration::from_secs(2)).await;

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

/// A user of Postgres with few rights, and the URL with which a program connects as the user.
struct PostgresUser {
    name: String,
    url: String,
}

impl PostgresUser {
    /// Creates a user. `rights` are the statements that grant the rights to a user by name.
    async fn create(world: &World, rights: impl Fn(&str) -> String) -> Self {
        let name = format!("user_{}", uuid::Uuid::new_v4().simple());
        let create = format!("CREATE ROLE {name} LOGIN; {}", rights(&name));
        world.database.execute(&create).await;
        let mut url: Url = world.database.url.parse().expect("a URL");
        url.set_username(&name).expect("the URL has a host");
        let url = url.into();
        Self { name, url }
    }

    fn variables(&self) -> [(&str, &str); 1] {
        [("DATABASE_URL", &self.url)]
    }

    /// Drops the user. The programs with sessions of the user must have ended.
    async fn drop(self, world: &World) {
        let name = self.name;
        let drop = format!("DROP OWNED BY {name}; DROP ROLE {name}");
        world.database.execute(&drop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_user_with_a_schema_alone_can_migrate_and_create_keys() {
    let world = World::new().await;
    let rights = |name: &str| {
        format!(
            "CREATE SCHEMA {name} AUTHORIZATION {name}; REVOKE ALL ON SCHEMA public FROM PUBLIC"
        )
    };
    let user = PostgresUser::create(&world, rights).await;

    let key = ["keys", "create", "--role", "owner"];
    for arguments in [&["migrate"][..], &key] {
        let ended = Service::run_to_end("webhook-api", &world, &user.variables(), arguments).await;
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "{told}");
    }

    let name = &user.name;
    let tables = format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{name}'");
    assert!(world.database.ask::<i64>(&tables).await > 10);
    user.drop(&world).await;
    world.end().await;
}

/// The rights to use all tables, without the right to create any.
fn uses_tables(name: &str) -> String {
    format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_user_who_may_not_create_serves_a_migrated_database() {
    let (mut platform, receiver, _) = platform().await;
    let user = PostgresUser::create(&platform.world, uses_tables).await;

    restart(&mut platform, &user.variables()).await;

    assert_all_works(&platform, &receiver).await;
    platform.dispatcher.kill().await;
    platform.api.kill().await;
    user.drop(&platform.world).await;
    platform.world.end().await;
}

/// Makes the database forget its newest migration.
const FORGET_A_MIGRATION: &str = "DELETE FROM __diesel_schema_migrations
    WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_user_who_may_not_create_is_told_who_must_migrate() {
    let world = World::new().await;
    let user = PostgresUser::create(&world, uses_tables).await;
    world.database.execute(FORGET_A_MIGRATION).await;

    let (variables, migrate) = (user.variables(), ["migrate"]);
    let refused = Service::run_to_end("webhook-api", &world, &variables, &migrate).await;

    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{told}");
    let advice = "run `webhook-api migrate` as a user with these rights";
    assert!(told.contains(advice), "{told}");
    user.drop(&world).await;
    world.end().await;
}
