//! Where runs take place: a world, a receiver, a platform service that publishes.

use std::time::{Duration, Instant};

use anyhow::bail;
use tokio_postgres::NoTls;
use tokio_postgres::types::FromSql;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;
use webhook_broker::Publisher;
use webhook_domain::EventType;
use webhook_tests::{WebhookSample, World, store_all};

use super::broker::Broker;
use super::load;
use super::meter::{Costs, Meter};
use super::sink::{Answers, Sink};
use super::stack::Stack;
use super::worker::{Variables, Who, Worker};

/// How long a run may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// How often is asked for what is waited for: a question costs what is measured.
const LOOK: Duration = Duration::from_millis(50);

/// What is published where nothing else is said.
pub(crate) const MEASURED: EventType = EventType::LicenseActivated;

/// What is published beside it.
pub(crate) const OTHER: EventType = EventType::ContractDeleted;

/// What a run showed.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Deliveries per second.
    pub(crate) rate: f64,
    /// What each part cost.
    pub(crate) costs: Costs,
}

/// A world, a receiver, and a platform service that publishes.
pub(crate) struct Course<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) world: World,
    pub(crate) sink: Sink,
    pub(crate) publisher: Publisher,
    /// The variables that a dispatcher of this course gets beside those of every course.
    pub(crate) variables: Variables,
    database: tokio_postgres::Client,
    /// Deliveries of this course have later ids.
    began: Uuid,
    /// How many are to be recorded, those of all runs together.
    owed: usize,
    _connected: DropGuard,
}

impl<'a> Course<'a> {
    /// With a receiver that answers 200 at once.
    pub(crate) async fn new(stack: &'a Stack) -> anyhow::Result<Self> {
        Self::with(stack, stack.world().await, Answers::AtOnce).await
    }

    /// In a world that may have a past.
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

    /// Stores webhooks at the sink that want what is measured.
    pub(crate) async fn store_webhooks(&self, count: usize) {
        self.store(&self.sink, count, MEASURED).await;
    }

    /// Stores webhooks at a sink that want one type of event.
    pub(crate) async fn store(&self, sink: &Sink, count: usize, wanted: EventType) {
        let urls: Vec<String> = (0..count).map(|number| sink.webhook(number)).collect();
        self.store_at(&urls, wanted).await;
    }

    /// Stores a webhook at each of these URLs that wants one type of event.
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

    /// Publishes so many events, which wait in the queue when nobody consumes.
    pub(crate) async fn publish(&self, events: usize) -> anyhow::Result<()> {
        load::publish(&self.publisher, events, MEASURED).await
    }

    /// Starts somebody who delivers, and waits until he consumes.
    pub(crate) async fn start(&self, who: Who, webhooks: usize) -> anyhow::Result<Worker> {
        let worker = Worker::start(who, self, webhooks)?;
        self.is_consumed().await?;
        Ok(worker)
    }

    /// Waits until somebody consumes events.
    pub(crate) async fn is_consumed(&self) -> anyhow::Result<()> {
        let broker = Broker::connect(&self.world.broker.url).await?;
        let consumed = async || Ok(broker.state().await?.consumers > 0);
        until("somebody consumes", consumed).await
    }

    /// Starts somebody who delivers what waits, and stops him when so many deliveries have
    /// arrived and are recorded. What counts is the time from the first to the last arrival.
    pub(crate) async fn drain(
        &mut self,
        who: Who,
        webhooks: usize,
        deliveries: usize,
    ) -> anyhow::Result<Run> {
        self.sink.expect(deliveries);
        let meter = Meter::start(self.stack);
        let worker = Worker::start(who, self, webhooks)?;
        let took = self.sink.all_arrived(PATIENCE).await?;
        self.all_recorded(who, deliveries).await?;
        let costs = meter.read(&[("worker", worker.group())]);
        worker.stop().await;
        let rate = per_second(deliveries, took);
        Ok(Run { rate, costs })
    }

    /// Waits until so many more deliveries are recorded: nothing counts that is not written down.
    pub(crate) async fn all_recorded(&mut self, who: Who, more: usize) -> anyhow::Result<()> {
        self.owed += more;
        let began = self.began;
        let sql = match who {
            Who::Product => format!(
                "SELECT count(*) FROM deliveries WHERE status = 'succeeded' AND id > '{began}'"
            ),
            Who::Bare => {
                "SELECT count(*) FROM bare.deliveries WHERE status = 'succeeded'".to_owned()
            }
            Who::Posting => return Ok(()),
        };
        self.counts("what is recorded", &sql, self.owed).await
    }

    /// Waits until a question has this answer.
    pub(crate) async fn counts(&self, what: &str, sql: &str, wanted: usize) -> anyhow::Result<()> {
        let wanted = i64::try_from(wanted)?;
        let what = format!("{what} is {wanted}");
        until(&what, async || Ok(self.ask::<i64>(sql).await? == wanted)).await
    }

    /// Asks the database for one value.
    pub(crate) async fn ask<T: for<'b> FromSql<'b>>(&self, sql: &str) -> anyhow::Result<T> {
        Ok(self.database.query_one(sql, &[]).await?.try_get(0)?)
    }

    /// Takes everything back.
    pub(crate) async fn end(self) {
        self.world.end().await;
    }
}

/// How many that is in a second.
pub(crate) fn per_second(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

/// Asks again and again until it is so.
pub(crate) async fn until(
    what: &str,
    mut holds: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await? {
        if Instant::now() > deadline {
            bail!("never happened: {what}");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
