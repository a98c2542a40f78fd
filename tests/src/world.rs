use std::time::Duration;

use tokio_postgres::NoTls;
use tokio_postgres::types::FromSql;
use url::Url;
use uuid::Uuid;
use webhook_domain::{Environment, PlatformSettings, RetryPolicy};
use webhook_store::rejected_messages::{self, RejectedMessage, RejectedMessageFilter};
use webhook_store::{Connection, Pool, Purpose, retry_policies, settings, transaction};

/// Ids of all but events tell their time, in their first 48 bits.
const AGE: &str = "
    CREATE FUNCTION pg_temp.aged(id uuid) RETURNS uuid LANGUAGE sql AS $$
        SELECT (lpad(to_hex(('x' || left(hex, 12))::bit(48)::bigint - {days} * 86400000::bigint), 12, '0')
            || substr(hex, 13))::uuid FROM replace(id::text, '-', '') AS hex
    $$;
    UPDATE attempts SET delivery_id = pg_temp.aged(delivery_id), started_at = started_at - interval '{days} days',
        exchange_id = pg_temp.aged(exchange_id);
    UPDATE deliveries SET id = pg_temp.aged(id), created_at = created_at - interval '{days} days',
        ended_at = ended_at - interval '{days} days';
    UPDATE events SET received_at = received_at - interval '{days} days';
    UPDATE audit_entries SET id = pg_temp.aged(id), at = at - interval '{days} days';
    UPDATE exchanges SET id = pg_temp.aged(id), recorded_at = recorded_at - interval '{days} days';
    UPDATE resends SET delivery_id = pg_temp.aged(delivery_id);
    UPDATE webhook_hours SET hour = hour - interval '{days} days';
    UPDATE total_hours SET hour = hour - interval '{days} days'";

/// What one test has to itself.
pub struct World {
    /// A database with the schema of today.
    pub database_url: String,
    /// A vhost with nothing in it.
    pub amqp_url: String,
    /// Connections to the database.
    pub pool: Pool,
    name: String,
    servers: ServerUrls,
    client: reqwest::Client,
}

/// Where the servers are.
pub struct ServerUrls {
    /// `postgres://…`
    pub database: String,
    /// `amqp://…`
    pub amqp: String,
    /// `http://…`
    pub management: String,
}

impl World {
    /// Makes a world on the servers that the environment names. Panics with the reason when they
    /// are not there.
    pub async fn new() -> Self {
        let servers = ServerUrls {
            database: variable("DATABASE_URL"),
            amqp: variable("AMQP_URL"),
            management: variable("AMQP_MANAGEMENT_URL"),
        };
        Self::on(servers).await
    }

    /// Makes a world on these servers.
    pub async fn on(servers: ServerUrls) -> Self {
        match Self::try_on(servers).await {
            Ok(world) => world,
            Err(error) => panic!("no test world (run ./dev test): {error:#}"),
        }
    }

    async fn try_on(servers: ServerUrls) -> anyhow::Result<Self> {
        let name = format!("test_{}", Uuid::now_v7().simple());
        servers.run_sql(&format!("CREATE DATABASE {name}")).await?;
        servers.vhost(reqwest::Method::PUT, &name).await?;
        let database_url = with_path(&servers.database, &name)?;
        webhook_store::migrations::run(&database_url).await?;
        Ok(Self {
            amqp_url: with_path(&servers.amqp, &name)?,
            pool: webhook_store::connect(&database_url, 10, Purpose::Events).await?,
            database_url,
            name,
            servers,
            client: reqwest::Client::new(),
        })
    }

    /// A connection to the database.
    pub async fn connection(&self) -> Connection {
        webhook_store::acquire(&self.pool)
            .await
            .expect("Postgres answers")
    }

    /// Sets how failed deliveries are tried again, in every environment.
    pub async fn set_retry_policy(&self, policy: &RetryPolicy) {
        let mut connection = self.connection().await;
        for environment in Environment::ALL {
            retry_policies::set_default(&mut connection, *environment, policy)
                .await
                .expect("it is set");
        }
    }

    /// Sets the platform's settings, as an owner would.
    pub async fn set_settings(&self, new: &PlatformSettings) {
        let mut connection = self.connection().await;
        let saved = transaction(&mut connection, async |connection| {
            let before = settings::lock(connection).await?;
            settings::save(connection, &before, new).await
        });
        saved.await.expect("they are set");
    }

    /// Makes everything that is there look as if it had happened so many days earlier.
    pub async fn age(&self, days: u32) {
        self.execute(&AGE.replace("{days}", &days.to_string()))
            .await;
    }

    /// Asks the database for one value.
    pub async fn ask<T: for<'a> FromSql<'a>>(&self, sql: &str) -> T {
        let client = connect(&self.database_url).await.expect("Postgres answers");
        let row = client.query_one(sql, &[]).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
            .get(0)
    }

    /// Changes the database behind everybody's back.
    pub async fn execute(&self, sql: &str) {
        let client = connect(&self.database_url).await.expect("Postgres answers");
        client.batch_execute(sql).await.expect("it runs");
    }

    /// Lets no new session of the database write, or lets it again, as after a failover; with
    /// `end_sessions`, there are only new ones.
    pub async fn set_read_only(&self, read_only: bool, end_sessions: bool) {
        let name = &self.name;
        let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}");
        self.servers.run_sql(&set).await.expect("it is set");
        if end_sessions {
            let end = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            );
            self.servers.run_sql(&end).await.expect("they end");
        }
    }

    /// Makes a RabbitMQ user with these permissions (configure, write, read), and tells where he
    /// connects.
    pub async fn broker_user(&self, [configure, write, read]: [&str; 3]) -> String {
        let (vhost, user) = (&self.name, format!("user_{}", Uuid::new_v4().simple()));
        let rights = serde_json::json!({"configure": configure, "write": write, "read": read});
        for (path, body) in [
            (
                format!("/api/users/{user}"),
                serde_json::json!({"password": "secret", "tags": ""}),
            ),
            (format!("/api/permissions/{vhost}/{user}"), rights),
        ] {
            let url = self.servers.url(&path).expect("a URL");
            let answer = self.client.put(url).json(&body).send().await;
            assert!(answer.expect("an answer").status().is_success(), "{path}");
        }
        let mut url: Url = self.amqp_url.parse().expect("a URL");
        url.set_username(&user).expect("it has a host");
        url.set_password(Some("secret")).expect("it has a host");
        url.into()
    }

    /// How many messages are in a queue.
    pub async fn messages_in(&self, queue: &str) -> u64 {
        let path = format!("/api/queues/{}/{queue}", self.name);
        let url = self.servers.url(&path).expect("a URL");
        let answer = self.client.get(url).send().await;
        let queue: serde_json::Value = answer.expect("an answer").json().await.unwrap_or_default();
        queue["messages"].as_u64().unwrap_or_default()
    }

    /// How many deliveries succeeded.
    pub async fn delivered(&self) -> i64 {
        self.ask("SELECT count(*) FROM deliveries WHERE status = 'succeeded'")
            .await
    }

    /// Binds a queue to the status exchange, to see what the platform's services are told.
    pub async fn listen_to_status(&self) {
        let queue = format!("/api/queues/{}/status", self.name);
        let binding = format!("/api/bindings/{}/e/webhooks.status/q/status", self.name);
        for (method, path, body) in [
            (reqwest::Method::PUT, queue, serde_json::json!({})),
            (
                reqwest::Method::POST,
                binding,
                serde_json::json!({"routing_key": "#"}),
            ),
        ] {
            let url = self.servers.url(&path).expect("a URL");
            let request = self.client.request(method, url).json(&body);
            let answer = request.send().await.expect("an answer");
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
        }
    }

    /// Takes what the platform's services were told since the last call.
    pub async fn told(&self) -> Vec<serde_json::Value> {
        let path = format!("/api/queues/{}/status/get", self.name);
        let url = self.servers.url(&path).expect("a URL");
        let ask =
            serde_json::json!({"count": 100, "ackmode": "ack_requeue_false", "encoding": "auto"});
        let answer = self.client.post(url).json(&ask).send().await;
        let messages: Vec<serde_json::Value> =
            answer.expect("an answer").json().await.unwrap_or_default();
        let bodies = messages.iter().filter_map(|m| m["payload"].as_str());
        bodies
            .map(|body| serde_json::from_str(body).expect("JSON"))
            .collect()
    }

    /// The messages that were set aside with their bodies, newest first, of up to 5,000.
    pub async fn rejected(&self) -> Vec<(RejectedMessage, Vec<u8>)> {
        let mut connection = self.connection().await;
        let all = RejectedMessageFilter::default();
        let listed = rejected_messages::list(&mut connection, &all, None, 5_000).await;
        let mut rejected = Vec::new();
        for message in listed.expect("it reads") {
            let found = rejected_messages::find(&mut connection, message.id).await;
            rejected.extend(found.expect("it reads"));
        }
        rejected
    }

    /// Puts a message straight into the rejected queue, as the broker does with a dead letter.
    pub async fn put_rejected(&self, body: &str) {
        let path = format!("/api/exchanges/{}/amq.default/publish", self.name);
        let message = serde_json::json!({"routing_key": "webhooks.events.rejected", "payload": body,
            "payload_encoding": "string", "properties": {"delivery_mode": 2}});
        let routed = async || {
            let url = self.servers.url(&path).expect("a URL");
            let request = self.client.post(url).json(&message);
            let answer = request.send().await.expect("an answer");
            let answer: serde_json::Value = answer.json().await.unwrap_or_default();
            (answer["routed"] == true).then_some(())
        };
        self.eventually("the queue is there", routed).await;
    }

    /// Lets the broker give a message up that came back once.
    pub async fn give_up_early(&self) {
        self.give_up_after(1).await;
    }

    /// Lets the broker give messages of its queues up that came back so often.
    pub async fn give_up_after(&self, returns: u32) {
        let path = format!("/api/policies/{}/early", self.name);
        let policy = serde_json::json!({"pattern": "^webhooks\\.events", "apply-to": "queues",
            "definition": {"delivery-limit": returns}});
        let url = self.servers.url(&path).expect("a URL");
        let answer = self.client.put(url).json(&policy).send().await;
        assert!(answer.expect("an answer").status().is_success());
    }

    /// Closes every connection to this vhost by force.
    pub async fn close_broker_connections(&self) {
        let path = format!("/api/vhosts/{}/connections", self.name);
        let url = self.servers.url(&path).expect("a URL");
        let listed = self.client.get(url).send().await.expect("an answer");
        let connections: Vec<serde_json::Value> = listed.json().await.unwrap_or_default();
        for connection in connections {
            let name = connection["name"].as_str().expect("a name");
            let mut url = self.servers.url("/api/connections/").expect("a URL");
            url.path_segments_mut().expect("a base").pop().push(name);
            let closed = self.client.delete(url).send().await.expect("an answer");
            assert!(closed.status().is_success() || closed.status() == 404);
        }
    }

    /// How many consume events.
    pub async fn consumers(&self) -> u64 {
        let path = format!("/api/queues/{}/webhooks.events", self.name);
        let url = self.servers.url(&path).expect("a URL");
        let answer = self.client.get(url).send().await;
        let queue: serde_json::Value = answer.expect("an answer").json().await.unwrap_or_default();
        queue["consumers"].as_u64().unwrap_or_default()
    }

    /// Takes everything back. A test that fails leaves its world to be looked at.
    pub async fn end(self) {
        self.pool.close();
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.servers
            .run_sql(&drop)
            .await
            .expect("the database goes");
        let vhost = self
            .servers
            .vhost(reqwest::Method::DELETE, &self.name)
            .await;
        vhost.expect("the vhost goes");
    }

    /// Asks again and again until `answer` is something, for at most 20 seconds.
    pub async fn eventually<T>(&self, what: &str, answer: impl AsyncFnMut() -> Option<T>) -> T {
        poll(what, Duration::from_secs(20), answer).await
    }

    /// The same for what takes minutes.
    pub async fn patiently<T>(&self, what: &str, answer: impl AsyncFnMut() -> Option<T>) -> T {
        poll(what, Duration::from_secs(300), answer).await
    }
}

async fn poll<T>(what: &str, patience: Duration, mut answer: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + patience;
    let mut poll = tokio::time::interval(Duration::from_millis(20));
    loop {
        poll.tick().await;
        if let Some(found) = answer().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "never happened: {what}"
        );
    }
}

impl ServerUrls {
    fn url(&self, path: &str) -> anyhow::Result<Url> {
        Ok(self.management.parse::<Url>()?.join(path)?)
    }

    async fn run_sql(&self, sql: &str) -> anyhow::Result<()> {
        connect(&self.database).await?.batch_execute(sql).await?;
        Ok(())
    }

    async fn vhost(&self, method: reqwest::Method, name: &str) -> anyhow::Result<()> {
        let url = self.url(&format!("/api/vhosts/{name}"))?;
        let request = reqwest::Client::new().request(method, url);
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the test runner is configured by environment"
)]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run ./dev test"))
}

fn with_path(url: &str, path: &str) -> anyhow::Result<String> {
    let mut url: Url = url.parse()?;
    url.set_path(path);
    Ok(url.into())
}

async fn connect(database_url: &str) -> anyhow::Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
