//! The parts of a worker shared by all loops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_broker::Cluster;
use webhook_domain::{AddressPolicy, CircuitPolicy};
use webhook_store::{Pool, PoolPurpose, SealingKeys, connect};

use crate::client::Connector;
use crate::pipeline::backlog::Backlog;
use crate::pipeline::destinations::Destinations;
use crate::pipeline::lanes::Lanes;
use crate::pipeline::meter::Detail;
use crate::pipeline::runner::Runners;
use crate::readiness::Readiness;

/// Postgres connections for everything but batches: each loop holds a connection for a statement or a
/// step, and reads of destinations take turns with the rest.
const POOL_SIZE: usize = 8;

/// Postgres connections for batches: one for the intake and one for the recorder, so neither waits
/// behind the other or behind the loops.
const BATCHES_POOL_SIZE: usize = 2;

/// The configuration of a worker.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// The RabbitMQ with the events.
    pub broker: Cluster,
    /// The keys to the webhooks' secrets.
    pub sealing_keys: SealingKeys,
    /// The permitted addresses.
    pub addresses: AddressPolicy,
    /// When a webhook's circuit opens. When a webhook is disabled is in the platform's settings.
    pub circuit_policy: CircuitPolicy,
    /// How long a leased delivery belongs to a worker. The deliveries of a dead worker wait until then.
    pub lease: Duration,
    /// How many requests may run at once for a webhook without a limit.
    pub lane_concurrency: usize,
    /// The name servers to ask; none: those of the machine's configuration.
    pub name_servers: Vec<SocketAddr>,
    /// Whether attempts are counted for each webhook besides.
    pub metrics: Detail,
    /// How long a connection to a receiver takes requests. Then the host is looked up again.
    pub connection_max_age: Duration,
}

/// A worker's connections to Postgres.
#[derive(Clone)]
pub struct Pools {
    /// For everything but batches.
    pub work: Pool,
    /// For batches of events and of results, see [`PoolPurpose::Batches`].
    pub batches: Pool,
}

impl Pools {
    /// Makes the pools. Connections open on first use, as Postgres may be away when a worker starts.
    pub async fn connect(database_url: &str) -> Result<Self, webhook_store::ConnectError> {
        Ok(Self {
            work: connect(database_url, POOL_SIZE, PoolPurpose::Events).await?,
            batches: connect(database_url, BATCHES_POOL_SIZE, PoolPurpose::Batches).await?,
        })
    }
}

/// The two signals to stop a worker.
#[derive(Debug, Clone, Default)]
pub struct Stops {
    /// Begin no more work; running attempts go on.
    pub drain: CancellationToken,
    /// Cut off the attempts still running.
    pub cut_off: CancellationToken,
}

/// A worker, as every loop uses it.
pub(crate) struct Worker {
    /// The owner of rows that no other worker writes.
    pub(crate) id: Uuid,
    pub(crate) config: WorkerConfig,
    pub(crate) pools: Pools,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) destinations: Arc<Destinations>,
    pub(crate) runners: Arc<Runners>,
    pub(crate) connector: Arc<Connector>,
    pub(crate) readiness: Arc<Readiness>,
    /// How many unacknowledged events the broker may hand out to the worker. Grows once the broker is
    /// known to bound the size of a message.
    pub(crate) events_prefetch: Arc<AtomicU16>,
    pub(crate) cancel: CancellationToken,
}

impl Worker {
    /// Waits for `time`, or until the worker is asked to stop. `false`: the worker is asked to stop, and
    /// the waiting loop must end.
    pub(crate) async fn sleep_or_stop(&self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => !self.cancel.is_cancelled(),
            () = self.cancel.cancelled() => false,
        }
    }
}
