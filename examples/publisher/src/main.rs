//! A platform service that publishes one event, and is sure that RabbitMQ has it on disk.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{anyhow, bail};
use chrono::{SecondsFormat, Utc};
use clap::Parser;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties};
use serde_json::{Value, json};
use uuid::Uuid;

/// The largest event, in bytes. A larger event would be set aside, not delivered.
const MAX_EVENT_BYTES: usize = 256 * 1024;

/// The pauses between tries: long enough for a restart of the broker behind a load balancer.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// How long a try may take. Without a confirm by then the connection counts as lost.
const BROKER_TIMEOUT: Duration = Duration::from_secs(10);

/// Publishes an event
#[derive(Parser)]
#[command(name = "webhook-publisher", version)]
struct Options {
    /// Address of RabbitMQ, `amqp://…`
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    amqp_url: String,
    /// Environment of the event
    #[arg(long, default_value = "production")]
    environment: String,
    /// Type of the event
    #[arg(long, default_value = "license.activated")]
    event_type: String,
    /// JSON that the webhooks receive unchanged
    // Named, as clap would take any text as a JSON string.
    #[arg(long, default_value = r#"{"license_id":"lic_42","seats":5}"#, value_parser = Value::from_str)]
    data: Value,
    /// The publisher's place in a trace (W3C Trace Context), passed on to the receivers
    #[arg(long, env = "TRACEPARENT")]
    traceparent: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let id = Uuid::now_v7();
    let event = json!({
        "id": id,
        "type": options.event_type,
        "environment": options.environment,
        "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "data": options.data,
    });
    let event = event.to_string();
    let bytes = event.len();
    if bytes > MAX_EVENT_BYTES {
        bail!("event of {bytes} bytes is larger than {MAX_EVENT_BYTES}");
    }
    publish_surely(&options, id, event.as_bytes()).await?;
    println!("published event {id}");
    Ok(())
}

/// Publishes the event, again after a lost connection.
async fn publish_surely(options: &Options, id: Uuid, event: &[u8]) -> anyhow::Result<()> {
    let routing_key = format!("{}.{}", options.environment, options.event_type);
    let mut pauses = PAUSES.into_iter();
    // Every try publishes the same bytes: an id that was seen before is delivered once.
    loop {
        let publication = publish(options, &routing_key, id, event);
        let error = match tokio::time::timeout(BROKER_TIMEOUT, publication).await {
            Ok(Ok(Confirmation::Ack(None))) => return Ok(()),
            Ok(Ok(Confirmation::Ack(Some(_)))) => {
                bail!("no queue takes {routing_key}: is a service running?")
            }
            Ok(Ok(Confirmation::NotRequested)) => bail!("the channel does not confirm"),
            Ok(Ok(Confirmation::Nack(_))) => anyhow!("the broker could not store the event"),
            // A missing exchange, a missing right: the next try would end alike.
            Ok(Err(error)) if error.is_amqp_soft_error() => {
                bail!("the broker refused the event: {error}")
            }
            Ok(Err(error)) => error.into(),
            Err(_) => anyhow!("no confirm in time"),
        };
        let Some(pause) = pauses.next() else {
            bail!("outcome of event {id} is unknown, publish it again under its id: {error}");
        };
        eprintln!("publishing again in {pause:?}: {error}");
        tokio::time::sleep(pause).await;
    }
}

/// Publishes the event over a connection of its own, and waits for the confirm.
async fn publish(
    options: &Options,
    routing_key: &str,
    id: Uuid,
    event: &[u8],
) -> lapin::Result<Confirmation> {
    let connection =
        Connection::connect(&options.amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    // Without this the broker confirms nothing.
    let confirms = ConfirmSelectOptions::default();
    channel.confirm_select(confirms).await?;
    let mandatory = BasicPublishOptions {
        // The broker hands a message back that reaches no queue, instead of dropping it.
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_message_id(id.to_string().into())
        // Persistent: the message survives a restart of the broker.
        .with_delivery_mode(2)
        .with_headers(headers(options));
    let confirmation = channel
        .basic_publish(
            "webhooks.events".into(),
            routing_key.into(),
            mandatory,
            event,
            properties,
        )
        .await?
        .await?;
    // The outcome is known: a connection that is lost now changes nothing.
    let _ = connection.close(200, "bye".into()).await;
    Ok(confirmation)
}

/// The headers of the message: the publisher's place in a trace, which receivers see.
fn headers(options: &Options) -> FieldTable {
    let mut headers = FieldTable::default();
    let traceparent = options.traceparent.as_deref();
    if let Some(traceparent) = traceparent.filter(|text| !text.is_empty()) {
        let value = AMQPValue::LongString(traceparent.into());
        headers.insert("traceparent".into(), value);
    }
    headers
}
