//! The testbed of a run: a world, a sink and a publisher.

use std::time::{Duration, Instant};

use anyhow::bail;
use tokio_postgres::NoTls;
use tokio_postgres::types::FromSql;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;
use webhook_broker::Publisher;
use webhook_domain::{BodyFormat, EventType};
use webhook_tests::{WebhookSample, World, store_all};

use super::broker::Broker;
use super::load;
use super::meter::{Costs, Meter};
use super::sink::{Answers, Sink};
use super::stack::Stack;
use super::worker::{Contender, Variables, Worker};

/// Longest wait for an event of a run, for example for the last arrival. Then the run fails.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(300);

/// Interval between two polls of a condition. Polling costs time on the measured servers.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The event type under measurement.
pub(crate) const MEASURED_TYPE: EventType = EventType::LicenseActivated;

/// An event type without a role in the measurement.
pub(crate) const OTHER_TYPE: EventType = EventType::ContractDeleted;

/// The figures of a run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Deliveries per second.
    pub(crate) rate: f64,
    /// The costs of each part.
    pub(crate) costs: Costs,
}

/// A world, a sink and a publisher.
pub(crate) struct Testbed<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) world: World,
    pub(crate) sink: Sink,
    pub(crate) publisher: Publisher,
    /// Environment variables for the dispatcher, besides the usual ones.
    pub(crate) variables: Variables,
    database: tokio_postgres::Client,
    /// A UUID v7 older than every delivery of the testbed.
    began: Uuid,
    /// Number of deliveries to record, over all runs of the testbed.
    owed: usize,
    _connected: DropGuard,
}

impl<'a> Testbed<'a> {
    /// A testbed in a fresh world, with a sink that responds at once.
    pub(crate) async fn new(stack: &'a Stack) -> anyhow::Result<Self> {
        Self::with(stack, stack.world().await, Answers::AtOnce).await
    }

    /// A testbed in a world with existing rows, or with a special sink.
    pub(crate) async fn with(
        stack: &'a Stack,
        world: World,
        answers: Answers,
    ) -> anyhow::Result<Self> {
        let cancel = CancellationToken::new();
        let url = world.broker.url.parse().map_err(anyhow::Error::msg)?;
        let publisher = Publisher::start(url, "bench", cancel.clone());
        let (database, connection) = tokio_postgres::connect(&world.database.url, NoTls).await?;
        tokio::spawn(connection);
        // The publisher declares the topology, which `Broker::connect` relies on.
        until("the publisher connects", async || {
            Ok(publisher.is_connected())
        })
        .await?;
        Ok(Self {
            stack,
            sink: Sink::start(answers).await?,
            publisher,
            variables: Variables::new(),
            database,
            began: Uuid::now_v7(),
            owed: 0,
            _connected: cancel.drop_guard(),
            world,
        })
    }

    /// Stores webhooks for the measured event type at the sink.
    pub(crate) async fn store_webhooks(&self, count: usize) {
        self.store(&self.sink, count, MEASURED_TYPE).await;
    }

    /// Stores webhooks for an event type at a sink.
    pub(crate) async fn store(&self, sink: &Sink, count: usize, wanted: EventType) {
        let urls: Vec<String> = (0..count).map(|number| sink.webhook(number)).collect();
        self.store_at(&urls, wanted).await;
    }

    /// Stores a webhook for the measured event type at the sink, with a format of its own.
    pub(crate) async fn store_with(&self, body: BodyFormat) {
        let (url, patterns) = (self.sink.webhook(0), [MEASURED_TYPE.as_str()]);
        let sample = WebhookSample {
            patterns: &patterns,
            body,
            ..WebhookSample::at(&url)
        };
        store_all(&mut self.world.database.connection().await, &[sample]).await;
    }

    /// Stores a webhook for an event type at each URL.
    pub(crate) async fn store_at(&self, urls: &[String], wanted: EventType) {
        let patterns = [wanted.as_str()];
        let samples: Vec<WebhookSample<'_>> = urls
            .iter()
            .map(|url| WebhookSample {
                patterns: &patterns,
                ..WebhookSample::at(url)
            })
            .collect();
        store_all(&mut self.world.database.connection().await, &samples).await;
    }

    /// Publishes `events` events of the measured type. Without a consumer the events wait in the queue.
    pub(crate) async fn publish(&self, events: usize) -> anyhow::Result<()> {
        load::publish(&self.publisher, events, MEASURED_TYPE).await
    }

    /// Starts a worker and waits until the worker consumes.
    pub(crate) async fn start(
        &self,
        contender: Contender,
        webhooks: usize,
    ) -> anyhow::Result<Worker> {
        let worker = self.start_worker(contender, webhooks)?;
        self.is_consumed().await?;
        Ok(worker)
    }

    fn start_worker(&self, contender: Contender, webhooks: usize) -> anyhow::Result<Worker> {
        Worker::start(
            contender,
            &self.world,
            &self.sink.url,
            webhooks,
            &self.variables,
        )
    }

    /// Waits until the queue of events has a consumer.
    pub(crate) async fn is_consumed(&self) -> anyhow::Result<()> {
        let broker = Broker::connect(&self.world.broker.url).await?;
        let consumed = async || Ok(broker.state().await?.consumers > 0);
        until("the queue has a consumer", consumed).await
    }

    /// Starts a worker on the waiting events, and stops the worker when `deliveries` deliveries have
    /// arrived and are recorded. The rate is over the time from the first to the last arrival.
    pub(crate) async fn drain(
        &mut self,
        contender: Contender,
        webhooks: usize,
        deliveries: usize,
    ) -> anyhow::Result<Run> {
        // Before the worker starts: the first request may arrive at once.
        self.sink.expect(deliveries);
        let meter = Meter::start(self.stack);
        let worker = self.start_worker(contender, webhooks)?;
        let took = self.sink.all_arrived(MAX_WAIT).await?;
        // Outside the measured time: both contenders record in batches behind the deliveries.
        self.all_recorded(contender, deliveries).await?;
        let costs = meter.read(&[("worker", worker.group())]);
        worker.stop().await;
        let rate = per_second(deliveries, took);
        Ok(Run { rate, costs })
    }

    /// Waits until `more` deliveries are recorded, besides earlier runs': unrecorded ones do not count.
    pub(crate) async fn all_recorded(
        &mut self,
        contender: Contender,
        more: usize,
    ) -> anyhow::Result<()> {
        self.owed += more;
        let began = self.began;
        let sql = match contender {
            Contender::Product => format!(
                "SELECT count(*) FROM deliveries WHERE status = 'succeeded' AND id > '{began}'"
            ),
            Contender::Bare => {
                "SELECT count(*) FROM bare.deliveries WHERE status = 'succeeded'".to_owned()
            }
            Contender::Posting => return Ok(()),
        };
        self.counts("the number of recorded deliveries", &sql, self.owed)
            .await
    }

    /// Waits until a count in the database is `wanted`.
    pub(crate) async fn counts(&self, what: &str, sql: &str, wanted: usize) -> anyhow::Result<()> {
        let wanted = i64::try_from(wanted)?;
        let what = format!("{what} is {wanted}");
        until(&what, async || Ok(self.ask::<i64>(sql).await? == wanted)).await
    }

    /// Reads a single value from the database.
    pub(crate) async fn ask<T: for<'b> FromSql<'b>>(&self, sql: &str) -> anyhow::Result<T> {
        Ok(self.database.query_one(sql, &[]).await?.try_get(0)?)
    }

    /// Removes the database and the vhost.
    pub(crate) async fn end(self) {
        self.world.end().await;
    }
}

/// The rate per second.
pub(crate) fn per_second(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

/// Polls until the condition holds. Fails after [`MAX_WAIT`].
pub(crate) async fn until(
    what: &str,
    mut holds: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + MAX_WAIT;
    while !holds().await? {
        if Instant::now() > deadline {
            bail!("never happened: {what}");
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Ok(())
}
