//! One run: so many events to so many webhooks, by the product or by the bare loop.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::process::{Child, Command};
use tokio_util::sync::{CancellationToken, DropGuard};
use webhook_broker::Publisher;
use webhook_tests::{Service, WebhookSample, World};

use super::load;
use super::sink::{Answers, Sink};
use super::stack::Stack;
use super::usage::{Group, Usage};

/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Product,
    Bare,
}

/// What is to be delivered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Race {
    /// How many events.
    pub(crate) events: usize,
    /// How many webhooks get each.
    pub(crate) webhooks: usize,
    /// Whether they are published while they are delivered; else all wait in the queue.
    pub(crate) live: bool,
}

/// What a run showed.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Deliveries per second.
    pub(crate) rate: f64,
    /// What each part cost.
    pub(crate) usage: BTreeMap<&'static str, Usage>,
}

/// Who works, as a process.
enum Worker {
    Product(Service),
    Bare(Child),
}

impl Race {
    /// Runs once.
    pub(crate) async fn run(self, stack: &Stack, who: Who) -> anyhow::Result<Run> {
        let world = stack.world().await;
        let sink = Sink::start(Answers::AtOnce).await?;
        let urls: Vec<String> = (0..self.webhooks).map(|number| sink.url(number)).collect();
        if who == Who::Product {
            store_webhooks(&world, &urls).await;
        }
        let (publisher, _connected) = publisher(&world).await?;
        if !self.live {
            load::publish(&publisher, self.events).await?;
        }
        sink.expect(self.events * self.webhooks);
        let meter = Meter::start(stack);
        let worker = Worker::start(who, &world, &urls).await?;
        let took = if self.live {
            worker.is_consuming(&world).await;
            let began = Instant::now();
            load::publish(&publisher, self.events).await?;
            sink.all_arrived(PATIENCE).await?;
            began.elapsed()
        } else {
            sink.all_arrived(PATIENCE).await?
        };
        all_recorded(&world, who, self.events * self.webhooks).await;
        let usage = meter.read(&worker);
        worker.stop().await;
        world.end().await;
        let deliveries = f64::from(u32::try_from(self.events * self.webhooks)?);
        Ok(Run {
            rate: deliveries / took.as_secs_f64(),
            usage,
        })
    }
}

/// Reads what a run costs.
struct Meter {
    groups: [(&'static str, Group); 3],
    before: Vec<Usage>,
}

impl Meter {
    fn start(stack: &Stack) -> Self {
        let groups = [
            ("postgres", stack.postgres.clone()),
            ("rabbitmq", stack.rabbitmq.clone()),
            ("receiver and load", Group::Process(std::process::id())),
        ];
        let before = groups.iter().map(|(_, group)| group.usage()).collect();
        Self { groups, before }
    }

    fn read(self, worker: &Worker) -> BTreeMap<&'static str, Usage> {
        let groups = self.groups.into_iter().zip(self.before);
        let mut usage: BTreeMap<_, _> = groups
            .map(|((name, group), before)| (name, group.usage().since(before)))
            .collect();
        usage.insert("worker", worker.group().usage());
        usage
    }
}

impl Worker {
    async fn start(who: Who, world: &World, urls: &[String]) -> anyhow::Result<Self> {
        if who == Who::Product {
            return Ok(Self::Product(Service::patient_dispatcher(world)));
        }
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "bare",
                "--database",
                &world.database_url,
                "--amqp",
                &world.amqp_url,
            ])
            .args(urls.iter().flat_map(|url| ["--url", url]))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Ok(Self::Bare(command.spawn().context("the bare loop")?))
    }

    fn group(&self) -> Group {
        let pid = match self {
            Self::Product(service) => Some(service.pid()),
            Self::Bare(child) => child.id(),
        };
        Group::Process(pid.expect("it runs"))
    }

    /// Waits until it is there for what is published.
    async fn is_consuming(&self, world: &World) {
        let consuming = async || (world.consumers().await > 0).then_some(());
        world.eventually("somebody consumes", consuming).await;
    }

    async fn stop(self) {
        match self {
            Self::Product(service) => service.kill().await,
            Self::Bare(mut child) => child.kill().await.expect("it was running"),
        }
    }
}

/// A platform service.
pub(crate) async fn publisher(world: &World) -> anyhow::Result<(Publisher, DropGuard)> {
    let cancel = CancellationToken::new();
    let url = world.amqp_url.parse().map_err(anyhow::Error::msg)?;
    let publisher = Publisher::start(url, "bench", cancel.clone());
    let connected = async || publisher.is_connected().then_some(());
    world.eventually("the publisher connects", connected).await;
    Ok((publisher, cancel.drop_guard()))
}

/// Webhooks that want everything of production.
pub(crate) async fn store_webhooks(world: &World, urls: &[String]) {
    let mut connection = world.connection().await;
    for url in urls {
        WebhookSample::at(url).store(&mut connection).await;
    }
}

/// Nothing counts that is not written down.
async fn all_recorded(world: &World, who: Who, deliveries: usize) {
    let sql = match who {
        Who::Product => "SELECT count(*) FROM deliveries WHERE status = 'succeeded'",
        Who::Bare => "SELECT count(*) FROM bare.deliveries WHERE status = 'succeeded'",
    };
    let recorded = async || {
        let recorded: i64 = world.ask(sql).await;
        (usize::try_from(recorded) == Ok(deliveries)).then_some(())
    };
    world.eventually("all is recorded", recorded).await;
}
