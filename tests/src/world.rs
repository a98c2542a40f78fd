//! The world of a test: a database and a vhost, made on shared servers.

mod broker;
mod database;
mod peeks;
mod template;

use std::time::Duration;

use url::Url;
use uuid::Uuid;

pub use broker::Broker;
pub use database::Database;

/// How long [`World::eventually`] waits. The states of most tests take milliseconds on a free machine.
const EVENTUALLY: Duration = Duration::from_secs(20);

/// How long [`World::patiently`] waits.
const PATIENTLY: Duration = Duration::from_secs(300);

/// How often a wait looks.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The database and the vhost of a test. [`World::end`] removes both.
pub struct World {
    /// A database with all migrations.
    pub database: Database,
    /// An empty vhost of RabbitMQ.
    pub broker: Broker,
    guard: EndGuard,
}

/// The addresses of the servers for worlds.
pub struct ServerUrls {
    /// `postgres://…`
    pub database: String,
    /// `amqp://…`
    pub amqp: String,
    /// `http://…`, RabbitMQ's management API.
    pub management: String,
}

impl World {
    /// Makes a world on the servers that the environment names. Panics with the reason when the
    /// servers do not answer. A test that does not call [`World::end`] fails.
    pub async fn new() -> Self {
        let servers = ServerUrls {
            database: variable("DATABASE_URL"),
            amqp: variable("AMQP_URL"),
            management: variable("AMQP_MANAGEMENT_URL"),
        };
        let world = async {
            let template = template::template(&servers.database).await?;
            Self::try_on(servers, Some(template)).await
        };
        let mut world = or_panic(world.await);
        world.guard.armed = true;
        world
    }

    /// Makes a world on `servers` of the caller. The world may end with the servers.
    pub async fn on(servers: ServerUrls) -> Self {
        or_panic(Self::try_on(servers, None).await)
    }

    async fn try_on(servers: ServerUrls, template: Option<&str>) -> anyhow::Result<Self> {
        let name = format!("test_{}", Uuid::now_v7().simple());
        Ok(Self {
            database: Database::create(&servers.database, &name, template).await?,
            broker: Broker::create(&servers.amqp, &servers.management, &name).await?,
            guard: EndGuard { armed: false },
        })
    }

    /// Removes the database and the vhost. A failed test leaves both for inspection.
    pub async fn end(mut self) {
        self.guard.armed = false;
        self.database.remove().await;
        self.broker.remove().await;
    }

    /// Calls `look` every 20 ms until the result is `Some`. Panics after 20 seconds with `what`
    /// never happened.
    pub async fn eventually<T>(&self, what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
        poll(what, EVENTUALLY, look).await
    }

    /// As [`World::eventually`], for at most five minutes.
    pub async fn patiently<T>(&self, what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
        poll(what, PATIENTLY, look).await
    }

    /// Waits until `holds` says yes, for at most 20 seconds; panics with the name `what` of the state.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        self.eventually(what, async || holds().await.then_some(()))
            .await;
    }

    /// Waits until a count is `wanted`, for at most 20 seconds; panics with the last count.
    pub async fn becomes(&self, what: &str, wanted: i64, count: impl AsyncFn() -> i64) {
        let mut last = None;
        let deadline = tokio::time::Instant::now() + EVENTUALLY;
        while last != Some(wanted) {
            assert!(
                tokio::time::Instant::now() < deadline,
                "never {wanted} {what}, but {last:?}"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
            last = Some(count().await);
        }
    }
}

/// As [`World::eventually`], where no world is at hand.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    poll(what, EVENTUALLY, look).await
}

fn or_panic(world: anyhow::Result<World>) -> World {
    world.unwrap_or_else(|error| panic!("no test world (run ./dev test): {error:#}"))
}

async fn poll<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + limit;
    let mut poll = tokio::time::interval(POLL_INTERVAL);
    loop {
        poll.tick().await;
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "never happened: {what}"
        );
    }
}

/// Fails a test that forgets to end its world, which would leave a database and a vhost on the
/// servers and, with a stage, dispatchers of which nobody asks whether they drained.
struct EndGuard {
    armed: bool,
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        // A second panic would end the whole test program, and the first panic tells more.
        assert!(
            !self.armed || std::thread::panicking(),
            "the test ends without `end().await` of its world, stage or platform"
        );
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the test runner is configured by environment"
)]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run ./dev test"))
}

/// Gives each of the URLs, separated by commas, another path.
fn with_path(urls: &str, path: &str) -> anyhow::Result<String> {
    let urls = urls.split(',').map(|url| {
        let mut url: Url = url.parse()?;
        url.set_path(path);
        anyhow::Ok(String::from(url))
    });
    Ok(urls.collect::<Result<Vec<_>, _>>()?.join(","))
}
