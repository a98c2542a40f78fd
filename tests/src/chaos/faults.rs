use std::time::Duration;

use webhook_domain::EventType;

use super::storm::{Account, Scale, Storm};
use crate::{Alarm, Answer, Proxy, Receiver, Servers, WebhookSample};

/// A fault in a storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No fault, for comparison.
    None,
    /// `kill -9` of a worker.
    KilledWorker,
    /// SIGTERM of a worker after a new worker has started.
    RestartedWorker,
    /// Three workers more under load, and SIGTERM for three, one after the other.
    ScaledOutAndIn,
    /// SIGTERM for two workers at once while receivers take their time.
    ScaledInWhileBusy,
    /// SIGSTOP of a worker for longer than the leases of the worker's deliveries.
    SuspendedWorker,
    /// The broker closes all connections.
    ClosedConnections,
    /// Postgres ends as in a power cut.
    CrashedPostgres,
    /// RabbitMQ ends as in a power cut.
    CrashedRabbitmq,
    /// Postgres and RabbitMQ end as in a power cut.
    CrashedBoth,
    /// A network swallows packets to a receiver.
    SwallowedPackets,
    /// RabbitMQ is short of memory, or of disk, and blocks publishers.
    Alarm(Alarm),
    /// Postgres becomes read-only, all sessions are ended, and Postgres becomes writable again.
    ReadOnlyPostgres,
    /// Postgres ends every session.
    EndedSessions,
}

/// A fault with a name and the sizes of the storms.
pub struct Scenario {
    /// The fault.
    pub fault: Fault,
    /// The fault in words.
    pub name: &'static str,
    /// The size under `./dev chaos`.
    pub full: Scale,
    /// The size in the tests.
    pub short: Scale,
}

const fn scenario(
    fault: Fault,
    name: &'static str,
    full: (usize, usize),
    short: (usize, usize),
) -> Scenario {
    Scenario {
        fault,
        name,
        full: Scale::new(full.0, full.1, Duration::from_secs(60)),
        short: Scale::new(short.0, short.1, Duration::from_secs(6)),
    }
}

/// All scenarios, with the events and strikes of each storm.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
    scenario(Fault::None, "three workers, no fault", (20_000, 1), (1_000, 1)),
    scenario(Fault::KilledWorker, "kill -9 of workers", (20_000, 20), (2_000, 3)),
    scenario(Fault::RestartedWorker, "rolling restart", (10_000, 6), (2_000, 3)),
    scenario(Fault::ScaledOutAndIn, "1 worker, 4 workers, 1 worker", (20_000, 4), (2_000, 1)),
    scenario(Fault::ScaledInWhileBusy, "SIGTERM of 2 of 3 busy workers", (20_000, 1), (2_000, 1)),
    scenario(Fault::SuspendedWorker, "SIGSTOP past the lease", (5_000, 3), (1_000, 1)),
    scenario(Fault::ClosedConnections, "broker connections closed", (10_000, 10), (1_000, 2)),
    scenario(Fault::CrashedPostgres, "Postgres crashes", (10_000, 3), (1_000, 1)),
    scenario(Fault::CrashedRabbitmq, "RabbitMQ crashes", (10_000, 3), (1_000, 1)),
    scenario(Fault::CrashedBoth, "both crash", (10_000, 2), (1_000, 1)),
    scenario(Fault::SwallowedPackets, "packets to a receiver vanish", (5_000, 2), (1_000, 1)),
    scenario(Fault::Alarm(Alarm::Memory), "RabbitMQ has a memory alarm", (5_000, 1), (1_000, 1)),
    scenario(Fault::Alarm(Alarm::Disk), "RabbitMQ has a disk alarm", (5_000, 1), (1_000, 1)),
    scenario(Fault::ReadOnlyPostgres, "Postgres is read-only", (5_000, 1), (1_000, 1)),
    scenario(Fault::EndedSessions, "Postgres ends its sessions", (10_000, 10), (1_000, 2)),
];

/// A pause longer than the leases of [`Service::dispatcher`](crate::Service::dispatcher).
const PAST_THE_LEASE: Duration = Duration::from_secs(6);

impl Fault {
    /// Runs a storm with the fault at random moments.
    pub async fn run(self, servers: &Servers, scale: Scale) -> Account {
        let mut storm = Storm::start(servers, scale, self.workers()).await;
        for _ in 0..scale.strikes {
            storm.arrivals(rand::random_range(50..300)).await;
            storm.note_in_flight().await;
            self.strike(&mut storm).await;
            storm.note_in_flight().await;
            storm.recover().await;
        }
        storm.end().await
    }

    /// The workers of the storm.
    fn workers(self) -> usize {
        if self == Self::ScaledOutAndIn { 1 } else { 3 }
    }

    async fn strike(self, storm: &mut Storm<'_>) {
        match self {
            Self::None => {}
            Self::KilledWorker => {
                let victim = rand::random_range(0..storm.dispatchers.len());
                storm.dispatchers.swap_remove(victim).kill().await;
                storm.start_dispatcher();
            }
            Self::RestartedWorker => {
                storm.start_dispatcher();
                let ended_well = storm.dispatchers.remove(0).terminate().await;
                assert!(ended_well, "a drain ends with 0");
            }
            Self::ScaledOutAndIn => scale_out_and_in(storm).await,
            Self::ScaledInWhileBusy => scale_in_while_busy(storm).await,
            Self::SuspendedWorker => {
                storm.dispatchers.rotate_left(1);
                storm.dispatchers[0].signal("STOP").await;
                // The pause is the test: the leases end while the worker is stopped.
                tokio::time::sleep(PAST_THE_LEASE).await;
                storm.dispatchers[0].signal("CONT").await;
            }
            Self::ClosedConnections => storm.world.broker.close_broker_connections().await,
            Self::CrashedPostgres => storm.servers.crash_postgres().await,
            Self::CrashedRabbitmq => storm.servers.crash_rabbitmq().await,
            Self::CrashedBoth => {
                let servers = storm.servers;
                tokio::join!(servers.crash_postgres(), servers.crash_rabbitmq());
            }
            Self::SwallowedPackets => swallow_packets(storm).await,
            Self::Alarm(alarm) => {
                storm.servers.set_alarm(alarm, true).await;
                // The pause is the test, here and below: the time of the fault.
                tokio::time::sleep(storm.scale.lasts).await;
                storm.servers.set_alarm(alarm, false).await;
            }
            Self::ReadOnlyPostgres => {
                storm.world.database.set_read_only(true, true).await;
                tokio::time::sleep(storm.scale.lasts).await;
                storm.world.database.set_read_only(false, false).await;
            }
            Self::EndedSessions => storm.world.database.set_read_only(false, true).await,
        }
    }
}

/// Starts three workers more, and ends the three oldest as a scale-in does.
async fn scale_out_and_in(storm: &mut Storm<'_>) {
    for _ in 0..3 {
        storm.start_dispatcher();
    }
    let consumers = async || storm.world.broker.consumers().await == 4;
    storm.world.until("four workers consume", consumers).await;
    storm.arrivals(500).await;
    for _ in 0..3 {
        let ended_well = storm.dispatchers.remove(0).terminate().await;
        assert!(ended_well, "a drain ends with 0");
    }
}

/// Adds a webhook whose receiver takes half a second, and ends two workers while requests run. Within the drain's
/// grace each of those requests ends: none comes again.
async fn scale_in_while_busy(storm: &mut Storm<'_>) {
    const EVENTS: usize = 60;
    let pause = Duration::from_millis(500);
    let slow = Receiver::deciding(move |_, _| Answer::After(pause)).await;
    let sample = WebhookSample {
        patterns: &["contract.created"],
        ..WebhookSample::at(&slow.url)
    };
    sample
        .store(&mut storm.world.database.connection().await)
        .await;
    // The storm's own webhook wants the events, too.
    storm
        .publish_more(EventType::ContractCreated, EVENTS, 2)
        .await;
    let busy = async || slow.peak() >= 8;
    storm.world.until("requests run", busy).await;

    let (first, second) = (storm.dispatchers.remove(0), storm.dispatchers.remove(0));
    let ended = tokio::join!(first.terminate(), second.terminate());

    assert_eq!(ended, (true, true), "a drain ends with 0");
    storm.start_dispatcher();
    storm.start_dispatcher();
    let all = async || slow.count() >= EVENTS;
    storm.world.until("every event arrives", all).await;
    assert_eq!(slow.bodies().len(), slow.count(), "no request comes again");
}

/// Adds a webhook behind a network that swallows packets for a while. Deliveries to the storm's own
/// webhook must go on.
async fn swallow_packets(storm: &mut Storm<'_>) {
    let behind = Receiver::answering(&[]).await;
    let port = behind
        .url
        .parse::<url::Url>()
        .ok()
        .and_then(|url| url.port());
    let proxy = Proxy::to(port.expect("a port")).await;
    let url = format!("http://127.0.0.1:{}/hook", proxy.port);
    let sample = WebhookSample {
        patterns: &["telemetry.flagged"],
        ..WebhookSample::at(&url)
    };
    let mut connection = storm.world.database.connection().await;
    sample.store(&mut connection).await;
    drop(connection);
    storm.listeners += 1;

    proxy.silence();
    storm.recover().await;
    storm.arrivals(200).await;
    assert_eq!(behind.count(), 0, "no request comes through");
    proxy.resume();
    let through = async || (behind.count() > 0).then_some(());
    storm
        .world
        .eventually("the event comes through", through)
        .await;
}
