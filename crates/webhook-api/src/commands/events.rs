//! `events publish`: events from flags, a file or standard input, published through RabbitMQ with confirms.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use bytes::Bytes;
use chrono::Utc;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_api::Flags;
use webhook_broker::{PublishError, Publisher};
use webhook_domain::{AssignedFields, Event, EventError, EventId};
use webhook_service::printable::printable;

use lines::{Line, Lines};

mod lines;

/// The most events that are published before RabbitMQ has confirmed the first.
const BATCH_EVENTS: usize = 500;

#[derive(Subcommand)]
pub(super) enum Events {
    /// Publish events through RabbitMQ, wait for the confirms, and print the ids
    Publish(Publish),
}

#[derive(Args)]
pub(super) struct Publish {
    /// Type of a single event, for instance license.activated; without a type, events are read from a file
    #[arg(long = "type", value_name = "TYPE", requires_all = ["environment", "data"], conflicts_with = "file")]
    event_type: Option<String>,
    /// Environment of the single event: production, staging or development
    #[arg(long, value_name = "ENVIRONMENT", requires = "event_type")]
    environment: Option<String>,
    /// Data of the single event
    #[arg(long, value_name = "JSON", requires = "event_type")]
    data: Option<String>,
    /// Id of the single event, a UUID; an id published before is delivered once only
    #[arg(long, value_name = "ID", requires = "event_type")]
    id: Option<String>,
    /// Time of the single event in RFC 3339; now when left out
    #[arg(long, value_name = "TIME", requires = "event_type")]
    timestamp: Option<String>,
    /// File with an event in JSON on each line; standard input when left out
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Events {
    pub(super) async fn run(self, flags: &Flags) -> anyhow::Result<ExitCode> {
        let Self::Publish(publish) = self;
        let broker = flags.check_broker()?;
        let single = publish.single()?;
        let cancel = CancellationToken::new();
        let publisher = Publisher::connect(&broker, "webhook-api events publish", cancel.clone());
        let publisher = publisher.await.context("cannot publish")?;
        let mut report = Report::default();
        match (single, &publish.file) {
            (Some(line), _) => {
                report
                    .publish(&publisher, vec![line], &ProgressBar::hidden())
                    .await?;
            }
            (None, Some(path)) => {
                let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
                let (bytes, file) =
                    opened.with_context(|| format!("cannot read {}", path.display()))?;
                report
                    .publish_lines(&publisher, file, bar(Some(bytes))?)
                    .await?;
            }
            (None, None) => {
                report
                    .publish_lines(&publisher, io::stdin(), bar(None)?)
                    .await?;
            }
        }
        cancel.cancel();
        Ok(report.end())
    }
}

/// A bar for a file of many bytes; a count of bytes for a pipe. Draws on a terminal only.
fn bar(bytes: Option<u64>) -> anyhow::Result<ProgressBar> {
    let style = match bytes {
        Some(_) => "{bar:40} {bytes} of {total_bytes}, {eta} left",
        None if io::stdin().is_terminal() => return Ok(ProgressBar::hidden()),
        None => "{spinner} {bytes}, {elapsed}",
    };
    let bar = bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
    Ok(bar.with_style(ProgressStyle::with_template(style)?))
}

/// The single event of the flags.
#[derive(Serialize)]
struct Single<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: &'a Option<String>,
    r#type: &'a str,
    environment: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: &'a Option<String>,
    data: &'a RawValue,
}

impl Publish {
    fn single(&self) -> anyhow::Result<Option<Line>> {
        let (Some(event_type), Some(data)) = (&self.event_type, &self.data) else {
            return Ok(None);
        };
        let data: &RawValue = serde_json::from_str(data).context("--data is not JSON")?;
        let single = Single {
            id: &self.id,
            r#type: event_type,
            environment: &self.environment,
            timestamp: &self.timestamp,
            data,
        };
        let bytes = serde_json::to_vec(&single)?;
        Ok(Some(Line {
            number: 1,
            bytes,
            cut: 0,
        }))
    }
}

/// The counts of a run.
#[derive(Default)]
struct Report {
    published: usize,
    failed: usize,
}

impl Report {
    /// Publishes a file line by line, a batch at a time. Ends early when RabbitMQ is gone.
    async fn publish_lines(
        &mut self,
        publisher: &Publisher,
        source: impl io::Read,
        bar: ProgressBar,
    ) -> anyhow::Result<()> {
        let mut lines = Lines::of(source);
        loop {
            let batch = lines
                .next_batch(BATCH_EVENTS)
                .context("cannot read the events")?;
            let Some(last) = batch.last().map(|line| line.number) else {
                bar.finish_and_clear();
                return Ok(());
            };
            self.publish(publisher, batch, &bar).await?;
            bar.set_position(lines.bytes_read());
            anyhow::ensure!(
                publisher.is_connected(),
                "RabbitMQ is gone: nothing behind line {last} was published"
            );
        }
    }

    /// Publishes a batch. Prints the id of each event, and the reason for each line that is refused.
    async fn publish(
        &mut self,
        publisher: &Publisher,
        batch: Vec<Line>,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        let parsed: Vec<(u64, Result<Event, EventError>)> = batch
            .into_iter()
            .map(|line| (line.number, parse(line)))
            .collect();
        // A clone of an event shares its bytes.
        let good: Vec<Event> = parsed
            .iter()
            .filter_map(|(_, event)| event.clone().ok())
            .collect();
        let mut confirms = publisher.publish_all(&good).await.into_iter();
        let outcomes = parsed.into_iter().map(|(number, event)| match event {
            Ok(event) => (number, confirmed(event.id, confirms.next())),
            Err(error) => (number, Err(error.to_string())),
        });
        let outcomes: Vec<(u64, Result<EventId, String>)> = outcomes.collect();
        // A bar on the same terminal steps aside meanwhile.
        bar.suspend(|| self.tell(&outcomes))?;
        Ok(())
    }

    fn tell(&mut self, outcomes: &[(u64, Result<EventId, String>)]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for (number, outcome) in outcomes {
            match outcome {
                Ok(id) => {
                    self.published += 1;
                    writeln!(out, "{id}")?;
                }
                Err(reason) => {
                    self.failed += 1;
                    eprintln!("line {number}: {}", printable(reason));
                }
            }
        }
        out.flush()
    }

    fn end(self) -> ExitCode {
        if self.failed == 0 {
            return ExitCode::SUCCESS;
        }
        let all = self.published + self.failed;
        eprintln!(
            "webhook-api: {} of {all} events were not published",
            self.failed
        );
        ExitCode::FAILURE
    }
}

fn parse(line: Line) -> Result<Event, EventError> {
    if line.cut > 0 {
        let bytes = line.bytes.len() + line.cut;
        return Err(EventError::TooLarge { bytes });
    }
    let assigned = AssignedFields {
        id: EventId(Uuid::now_v7()),
        timestamp: Utc::now(),
    };
    Event::parse_assigning(Bytes::from(line.bytes), assigned)
}

fn confirmed(id: EventId, confirm: Option<Result<(), PublishError>>) -> Result<EventId, String> {
    match confirm {
        Some(Ok(())) => Ok(id),
        Some(Err(error)) => Err(format!(
            "{error}; publish event {id} again under the same id"
        )),
        None => Err("the event was not sent".to_owned()),
    }
}
