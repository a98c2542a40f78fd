//! Real receivers: web servers with the settings of real users. Each server ends connections in another
//! way, at another time.
//!
//! Each receiver has a webhook and an event type. The receiver gets events at full speed, then bursts
//! of events after pauses about as long as the life of an idle connection. The attempts log must
//! hold no failed attempt by then, and each receiver's own log every event.

// Receivers, by software.
mod apache;
mod go;
mod java;
mod nginx;
mod node;
mod php;
mod python;

// A receiver's kind and process.
mod kind;
mod running;

// The events for a receiver, and the account of the events.
mod account;
mod trial;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_broker::Publisher;
use webhook_domain::RetryPolicy;

pub use account::{ReceiverAccount, table};

use crate::tls::CertificateFiles;
use crate::{Service, World};
use kind::ReceiverKind;
use running::RunningReceiver;
use trial::Trial;

/// All receivers, in the order of the table.
const KINDS: [&[ReceiverKind]; 7] = [
    nginx::KINDS,
    apache::KINDS,
    node::KINDS,
    php::KINDS,
    python::KINDS,
    go::KINDS,
    java::KINDS,
];

/// How long deliveries may take to end after the last event was published. Failed attempts are repeated
/// within two seconds, but a circuit that has opened pauses longer.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);

/// How many events the receivers are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// For a test of less than a minute.
    Short,
    /// For `./dev chaos`, some minutes.
    Full,
}

impl Extent {
    /// How many events each receiver is sent at full speed.
    fn events(self) -> usize {
        match self {
            Self::Short => 300,
            Self::Full => 5_000,
        }
    }

    /// How long the pauses of a receiver may take together.
    fn pauses(self) -> Duration {
        match self {
            Self::Short => Duration::from_secs(11),
            Self::Full => Duration::from_secs(150),
        }
    }

    /// How long a receiver that reloads gets bursts.
    fn reloads(self) -> Duration {
        match self {
            Self::Short => Duration::from_secs(5),
            Self::Full => Duration::from_secs(30),
        }
    }

    /// How many receivers are sent events at full speed at once. One by one, the rates that the table
    /// shows are those of the receivers.
    fn at_once(self) -> usize {
        match self {
            Self::Short => usize::MAX,
            Self::Full => 1,
        }
    }
}

/// The receivers, and a dispatcher.
struct Zoo {
    trials: Vec<Trial>,
    dispatcher: Service,
    publisher: Publisher,
    /// Ends the publisher.
    publishing: CancellationToken,
    world: World,
    extent: Extent,
    /// Last: the folder is dropped after the end of the receivers.
    _folder: Folder,
}

/// Starts every receiver, sends events, and settles the account of each receiver.
pub async fn zoo(world: World, extent: Extent) -> Vec<ReceiverAccount> {
    let mut zoo = Zoo::open(world, extent).await;
    zoo.send_at_full_speed().await;
    zoo.send_after_pauses().await;
    zoo.close().await
}

impl Zoo {
    async fn open(world: World, extent: Extent) -> Self {
        set_retry_policy(&world).await;
        let folder = Folder::new();
        let files = CertificateFiles::write(&folder.0);
        let kinds = KINDS.into_iter().flatten().filter(|k| k.extent <= extent);
        let starts = kinds.map(|kind| RunningReceiver::start(kind, &world, &folder.0, &files));
        let receivers = join_all(starts).await;
        let mut trials = Vec::new();
        for (number, receiver) in receivers.into_iter().enumerate() {
            trials.push(Trial::new(receiver, number, &world).await);
        }
        let authority = files.authority.to_str().expect("UTF-8");
        let dispatcher = Service::dispatcher_with(&world, &[("SSL_CERT_FILE", authority)]);
        let broker = world.broker.url.parse().expect("a URL");
        let publishing = CancellationToken::new();
        let publisher = Publisher::start(broker, "zoo", publishing.clone());
        let ready = async || {
            let consumed = world.broker.consumers().await == 1;
            (publisher.is_connected() && consumed).then_some(())
        };
        world.eventually("the dispatcher consumes", ready).await;
        Self {
            trials,
            dispatcher,
            publisher,
            publishing,
            world,
            extent,
            _folder: folder,
        }
    }

    async fn send_at_full_speed(&mut self) {
        let (events, publisher) = (self.extent.events(), &self.publisher);
        let at_once = self.extent.at_once().min(self.trials.len());
        for trials in self.trials.chunks_mut(at_once) {
            let reloads: Vec<_> = trials
                .iter()
                .map(|trial| trial.receiver.reloads())
                .collect();
            let began = Instant::now();
            join_all(
                trials
                    .iter_mut()
                    .map(|trial| trial.publish(publisher, events)),
            )
            .await;
            let all = trials.iter().map(Trial::published).sum();
            settle(&self.world, trials, all).await;
            drop(reloads);
            if let [trial] = trials {
                let events = f64::from(u32::try_from(events).unwrap_or(u32::MAX));
                trial.rate = Some(events / began.elapsed().as_secs_f64());
            }
        }
    }

    async fn send_after_pauses(&mut self) {
        let (extent, publisher) = (self.extent, &self.publisher);
        let paused = self
            .trials
            .iter_mut()
            .map(|trial| trial.publish_after_pauses(publisher, extent));
        join_all(paused).await;
        let all = self.trials.iter().map(Trial::published).sum();
        tokio::select! {
            () = settle(&self.world, &self.trials, all) => {}
            () = knock(&self.trials) => {}
        }
    }

    async fn close(mut self) -> Vec<ReceiverAccount> {
        let accounts = account::settle_all(&self.world, &mut self.trials).await;
        self.publishing.cancel();
        drop(self.trials);
        self.dispatcher.kill().await;
        self.world.end().await;
        accounts
    }
}

/// Connects to the receivers that reloaded, again and again, as other visitors of theirs would. A worker
/// of nginx that is woken for a connection at the moment of its end leaves it to the next wake-up
/// (`EPOLLEXCLUSIVE` wakes one worker only), which a quiet server never gets.
async fn knock(trials: &[Trial]) {
    let reloading = trials.iter().filter(|trial| trial.receiver.reloaded());
    let ports: Vec<u16> = reloading.map(|trial| trial.receiver.port()).collect();
    let mut knocks = tokio::time::interval(Duration::from_millis(200));
    loop {
        knocks.tick().await;
        for port in &ports {
            let _ = tokio::net::TcpStream::connect(("127.0.0.1", *port)).await;
        }
    }
}

/// Sets retries that come soon, and often enough for every event to arrive in the end.
async fn set_retry_policy(world: &World) {
    let policy = RetryPolicy {
        max_attempts: RetryPolicy::MAX_ATTEMPTS,
        initial_interval: Duration::from_millis(200),
        multiplier: 2.0,
        max_interval: Duration::from_secs(2),
        timeout: Duration::from_secs(10),
        ..RetryPolicy::default()
    };
    world.database.set_retry_policy(&policy).await;
}

/// Waits until all `deliveries` of these receivers have ended. The accounts count the deliveries that
/// have not ended in time.
async fn settle(world: &World, trials: &[Trial], deliveries: usize) {
    let ids: Vec<String> = trials.iter().map(|t| t.webhook_id.to_string()).collect();
    let sql = format!(
        "SELECT count(*) FROM deliveries WHERE ended_at IS NOT NULL AND webhook_id = ANY ('{{{}}}')",
        ids.join(",")
    );
    let ended = async || {
        let ended = world.database.ask::<i64>(&sql).await;
        (usize::try_from(ended) == Ok(deliveries)).then_some(())
    };
    let ended = world.patiently("all deliveries end", ended);
    let _ = tokio::time::timeout(SETTLES_WITHIN, ended).await;
}

/// A folder for the files of all receivers. A panic leaves the folder to be looked at, such as that of a
/// receiver which does not start.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("webhooks-zoo.{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the files of the receivers are in {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
