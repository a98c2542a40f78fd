//! A platform service that publishes one event, and is sure that RabbitMQ has it on disk.

use anyhow::bail;
use chrono::{SecondsFormat, Utc};
use clap::Parser;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties};
use serde_json::{Value, json};
use uuid::Uuid;

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
    #[arg(long, default_value = r#"{"license_id":"lic_42","seats":5}"#)]
    data: Value,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let id = Uuid::now_v7();
    // Publish the same bytes again if the outcome is unknown: an id that was seen before is
    // delivered once.
    let event = json!({
        "id": id,
        "type": options.event_type,
        "environment": options.environment,
        "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "data": options.data,
    });

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
        .with_delivery_mode(2);
    let routing_key = format!("{}.{}", options.environment, options.event_type);
    let confirmation = channel
        .basic_publish(
            "webhooks.events".into(),
            routing_key.as_str().into(),
            mandatory,
            event.to_string().as_bytes(),
            properties,
        )
        .await?
        .await?;

    match confirmation {
        Confirmation::Ack(None) => println!("published event {id}"),
        Confirmation::Ack(Some(_)) => bail!("no queue takes {routing_key}: is a service running?"),
        Confirmation::Nack(_) => bail!("the broker refused the event: publish it again"),
        Confirmation::NotRequested => bail!("the channel does not confirm"),
    }
    connection.close(200, "bye".into()).await?;
    Ok(())
}
