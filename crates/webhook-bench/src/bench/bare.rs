//! The bare loop: the same parts as the product, wired without features. Its rate is the bound that
//! the parts set.
//!
//! The loop consumes from the quorum queue in batches, decodes, inserts events and deliveries in a
//! transaction, acknowledges, signs, posts over kept-alive connections, inserts attempts and updates
//! deliveries in batches. Retries, lanes, matching and metrics are missing.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;
use webhook_broker::{Cluster, Queue, consume};
use webhook_domain::{Event, SigningSecret, sign};

/// Most messages in hand; most events, or attempts, in a statement.
const PREFETCH: u16 = 2_000;
const MAX_BATCH: usize = 500;

/// Runners, and so requests at once.
const RUNNERS: usize = 32;

/// Most deliveries waiting for a runner.
const RUNNER_QUEUE: usize = 64;

/// Most results waiting for the recorder.
const RESULT_QUEUE: usize = 4_096;

const TABLES: &str = include_str!("bare/tables.sql");

const TAKE_IN: &str = include_str!("bare/take_in.sql");

const RECORD: &str = include_str!("bare/record.sql");

/// The arguments of the bare loop.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Bare {
    /// Address of Postgres. Without an address the loop posts and stores no row
    #[arg(long)]
    pub(crate) database: Option<String>,
    /// Address of RabbitMQ
    #[arg(long)]
    pub(crate) amqp: String,
    /// Address of the receiver; the path of a webhook is its number
    #[arg(long)]
    pub(crate) url: String,
    /// Number of webhooks; each gets every event
    #[arg(long)]
    pub(crate) webhooks: usize,
}

/// A delivery in hand.
struct Owed {
    id: Uuid,
    event: Event,
    url: usize,
}

/// A finished attempt.
struct Made {
    delivery_id: Uuid,
    started_at: DateTime<Utc>,
    duration: Duration,
    status: u16,
}

impl Bare {
    /// Works until the process is killed.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (results, mut made) = mpsc::channel(RESULT_QUEUE);
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(RUNNERS)
            .build()?;
        let secret = SigningSecret::from_random([7; 32]);
        let urls = (0..self.webhooks).map(|number| format!("{}/{number}", self.url));
        let urls: Arc<[String]> = urls.collect();
        let runners: Vec<mpsc::Sender<Owed>> = (0..RUNNERS)
            .map(|_| {
                let (sender, owed) = mpsc::channel(RUNNER_QUEUE);
                let runner = Runner {
                    client: client.clone(),
                    secret: secret.clone(),
                    urls: urls.clone(),
                    results: results.clone(),
                };
                tokio::spawn(runner.run(owed));
                sender
            })
            .collect();
        let mut writer = None;
        if let Some(database) = &self.database {
            let recorder = connect(database).await?;
            recorder.batch_execute(TABLES).await?;
            tokio::spawn(record(recorder, made));
            writer = Some(EventWriter::new(database).await?);
        } else {
            // Results are dropped, but received: the runners must not wait for room.
            tokio::spawn(async move { while made.recv().await.is_some() {} });
        }
        self.take_in(writer, &runners).await
    }

    async fn take_in(
        &self,
        writer: Option<EventWriter>,
        runners: &[mpsc::Sender<Owed>],
    ) -> anyhow::Result<()> {
        let broker: Cluster = self.amqp.parse().map_err(anyhow::Error::msg)?;
        let mut consumer = consume(
            &broker,
            Queue::Events,
            "bare",
            Arc::new(AtomicU16::new(PREFETCH)),
        )
        .await?;
        let mut next = 0;
        loop {
            let batch = consumer.next_batch(MAX_BATCH).await?;
            let events = batch
                .iter()
                .map(|message| Event::parse(message.body.clone()));
            let events: Vec<Event> = events.collect::<Result<_, _>>()?;
            let owed = self.owed(&events);
            // Committed before the acknowledgement, as in the product: a killed loop loses no event.
            if let Some(writer) = &writer {
                writer.write(&events, &owed).await?;
            }
            let tags: Vec<u64> = batch.iter().map(|message| message.delivery_tag).collect();
            consumer.acknowledge(&tags).await?;
            for owed in owed {
                // Round robin. A full runner holds the loop up, and so bounds the memory.
                runners[next % RUNNERS].send(owed).await?;
                next += 1;
            }
        }
    }

    fn owed(&self, events: &[Event]) -> Vec<Owed> {
        let owed = events.iter().flat_map(|event| {
            (0..self.webhooks).map(|url| Owed {
                id: Uuid::now_v7(),
                event: event.clone(),
                url,
            })
        });
        owed.collect()
    }
}

/// The connection for events and deliveries, with the prepared statement.
struct EventWriter {
    client: Client,
    statement: Statement,
}

impl EventWriter {
    async fn new(database: &str) -> anyhow::Result<Self> {
        let client = connect(database).await?;
        let statement = client.prepare(TAKE_IN).await?;
        Ok(Self { client, statement })
    }

    async fn write(&self, events: &[Event], owed: &[Owed]) -> anyhow::Result<()> {
        let webhooks = owed.iter().map(|o| i32::try_from(o.url));
        let webhooks = webhooks.collect::<Result<Vec<_>, _>>()?;
        let types = events.iter().map(|e| e.event_type.as_str());
        let environments = events.iter().map(|e| e.environment.as_str());
        self.client
            .execute(
                &self.statement,
                &[
                    &events.iter().map(|e| e.id.0).collect::<Vec<_>>(),
                    &types.collect::<Vec<_>>(),
                    &environments.collect::<Vec<_>>(),
                    &events.iter().map(|e| e.timestamp).collect::<Vec<_>>(),
                    &events.iter().map(|e| e.body.as_ref()).collect::<Vec<_>>(),
                    &owed.iter().map(|o| o.id).collect::<Vec<_>>(),
                    &owed.iter().map(|o| o.event.id.0).collect::<Vec<_>>(),
                    &webhooks,
                ],
            )
            .await?;
        Ok(())
    }
}

struct Runner {
    client: reqwest::Client,
    secret: SigningSecret,
    urls: Arc<[String]>,
    results: mpsc::Sender<Made>,
}

impl Runner {
    async fn run(self, mut owed: mpsc::Receiver<Owed>) {
        while let Some(owed) = owed.recv().await {
            let made = self.attempt(&owed).await.expect("the sink answers");
            if self.results.send(made).await.is_err() {
                return;
            }
        }
    }

    async fn attempt(&self, owed: &Owed) -> reqwest::Result<Made> {
        let (started_at, event) = (Utc::now(), &owed.event);
        let timestamp = started_at.timestamp();
        let signatures = sign([&self.secret].into_iter(), event.id, timestamp, &event.body);
        let response = self
            .client
            .post(&self.urls[owed.url])
            .header("content-type", "application/json")
            .header("x-webhook-signature", signatures.platform)
            .header("webhook-id", event.id.to_string())
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signatures.standard)
            .body(event.body.clone())
            .send()
            .await?;
        let status = response.status().as_u16();
        // A connection is reused only after its response was read to the end.
        response.bytes().await?;
        Ok(Made {
            delivery_id: owed.id,
            started_at,
            duration: (Utc::now() - started_at).to_std().unwrap_or_default(),
            status,
        })
    }
}

async fn record(client: Client, mut made: mpsc::Receiver<Made>) {
    let statement = client.prepare(RECORD).await.expect("the tables are there");
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while made.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let millis = |made: &Made| i32::try_from(made.duration.as_millis()).unwrap_or(i32::MAX);
        let ids: Vec<Uuid> = batch.iter().map(|m| m.delivery_id).collect();
        let started: Vec<DateTime<Utc>> = batch.iter().map(|m| m.started_at).collect();
        let durations: Vec<i32> = batch.iter().map(millis).collect();
        let statuses: Vec<i32> = batch.iter().map(|m| i32::from(m.status)).collect();
        client
            .execute(&statement, &[&ids, &started, &durations, &statuses])
            .await
            .expect("the row is written");
        batch.clear();
    }
}

/// A connection with the dispatcher's planner settings: on a fresh table the planner would scan whole
/// tables, and a generic plan is worse than a plan for the arrays' real length.
async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    client
        .batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_custom_plan")
        .await?;
    Ok(client)
}
