//! Publishes with confirms, over a connection that is reopened after every loss.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use lapin::types::FieldTable;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_domain::{Event, PublishedTo};
use webhook_metrics::catalogue::EVENTS_PUBLISHED;

use crate::cluster::Cluster;
use crate::connection::close;
use crate::error::BrokerError;
use crate::rejection::published_to_headers;
use crate::topology::{self, EVENTS_EXCHANGE, EVENTS_QUEUE, STATUS_EXCHANGE};
use crate::trace_header::trace_headers;
use upkeep::{Link, keep_connected, open_confirming, until_broken};

mod confirms;
mod upkeep;

/// Longest wait for a confirm. Afterwards the publishing call fails, although RabbitMQ may still
/// confirm: the caller publishes the event again under the same id.
pub(crate) const CONFIRMS_WITHIN: Duration = Duration::from_secs(5);

/// Publishes with confirms. Clones share a connection, renewed until the token given to
/// [`start`](Self::start) is cancelled.
#[derive(Clone)]
pub struct Publisher {
    link: Arc<Link>,
}

/// Whether events can be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerState {
    /// The connection is open.
    Ready,
    /// There is no connection.
    Away,
    /// RabbitMQ blocks publishers until a memory or disk alarm ends.
    Blocked,
}

/// Why an event was not published. After [`TimedOut`](Self::TimedOut) and
/// [`Unavailable`](Self::Unavailable) RabbitMQ may have the event all the same: publishing the event
/// again under the same id is safe.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// There is no connection, or the connection broke.
    #[error("the broker is not available: {0}")]
    Unavailable(String),
    /// RabbitMQ blocks publishers during a memory or disk alarm.
    #[error("the broker blocks publishers: its memory or disk is short")]
    Blocked,
    /// The channel is not in confirm mode.
    #[error("the broker was not asked to confirm")]
    NotConfirmed,
    /// RabbitMQ refused the event, or no queue is bound for the routing key.
    #[error("the broker refused the event")]
    Refused,
    /// RabbitMQ did not confirm in time.
    #[error("the broker did not confirm within {} s", CONFIRMS_WITHIN.as_secs())]
    TimedOut,
}

impl Publisher {
    /// Starts to connect in the background, and reconnects until `cancel` is cancelled. `name` is the
    /// connection's name in RabbitMQ's management.
    pub fn start(cluster: Cluster, name: &str, cancel: CancellationToken) -> Self {
        let link = Arc::<Link>::default();
        tokio::spawn(keep_connected(
            link.clone(),
            cluster,
            name.to_owned(),
            cancel,
        ));
        Self { link }
    }

    /// Connects once, for a command that ends soon: the error tells why there is no connection, and a lost
    /// connection is not renewed.
    pub async fn connect(
        cluster: &Cluster,
        name: &str,
        cancel: CancellationToken,
    ) -> Result<Self, BrokerError> {
        let (connection, channel) = open_confirming(cluster, name).await?;
        let link = Arc::<Link>::default();
        link.channel.store(Some(Arc::new(channel.clone())));
        let watched = link.clone();
        tokio::spawn(async move {
            let broken = until_broken(&watched, &connection, &channel, &cancel).await;
            watched.channel.store(None);
            if broken.is_none() {
                close(&connection).await;
            }
        });
        Ok(Self { link })
    }

    /// Whether there is a connection, blocked or not.
    pub fn is_connected(&self) -> bool {
        self.state() != BrokerState::Away
    }

    /// Whether an event could be published now.
    pub fn state(&self) -> BrokerState {
        let channel = self.link.channel.load();
        let connected = channel.as_ref().is_some_and(|c| c.status().connected());
        if !connected {
            BrokerState::Away
        } else if self.link.blocked.load(Ordering::Relaxed) {
            BrokerState::Blocked
        } else {
            BrokerState::Ready
        }
    }

    /// Publishes an event and waits for the confirm: RabbitMQ then has the event on disk.
    pub async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        let mut span = webhook_traces::publish(event);
        let message = Outgoing {
            exchange: EVENTS_EXCHANGE,
            routing_key: &event.routing_key(),
            id: event.id.to_string(),
            body: &event.body,
            headers: trace_headers(span.place()),
            mandatory: true,
        };
        let published = self.publish_within(message).await;
        EVENTS_PUBLISHED.add_for(&[metric_name(&published)], 1);
        if let Err(error) = &published {
            span.fail(error);
        }
        published
    }

    /// Publishes events in order; the waits for confirms overlap. The results have the order of the
    /// events.
    pub async fn publish_all(&self, events: &[Event]) -> Vec<Result<(), PublishError>> {
        join_all(events.iter().map(|event| self.publish(event))).await
    }

    /// Publishes a status event to the platform's services and waits for the confirm. No error if no
    /// queue is bound for the routing key.
    pub async fn publish_status(
        &self,
        id: Uuid,
        routing_key: &str,
        body: &str,
    ) -> Result<(), PublishError> {
        let message = Outgoing {
            exchange: STATUS_EXCHANGE,
            routing_key,
            id: id.to_string(),
            body: body.as_bytes(),
            headers: FieldTable::default(),
            mandatory: false,
        };
        self.publish_within(message).await
    }

    /// Puts a rejected message back into the queue of events and waits for the confirm. The message
    /// bypasses the exchange: other queues bound there had the message before.
    pub async fn requeue(
        &self,
        id: Uuid,
        published_to: &PublishedTo,
        body: &[u8],
    ) -> Result<(), PublishError> {
        let message = Outgoing {
            exchange: "",
            routing_key: EVENTS_QUEUE,
            id: id.to_string(),
            body,
            headers: published_to_headers(published_to),
            mandatory: true,
        };
        self.publish_within(message).await
    }

    /// Counts the messages in the queue of events that no consumer holds.
    pub async fn count_queued(&self) -> Result<u32, PublishError> {
        let channel = self.link.channel.load_full();
        let channel =
            channel.ok_or_else(|| PublishError::Unavailable("not connected".to_owned()))?;
        let asking = topology::count_queued(&channel);
        match timeout(CONFIRMS_WITHIN, asking).await {
            Ok(counted) => counted.map_err(|error| PublishError::Unavailable(error.to_string())),
            Err(_) => Err(PublishError::TimedOut),
        }
    }

    async fn publish_within(&self, message: Outgoing<'_>) -> Result<(), PublishError> {
        match timeout(CONFIRMS_WITHIN, self.publish_unbounded(message)).await {
            Ok(result) => result,
            Err(_) => Err(PublishError::TimedOut),
        }
    }

    async fn publish_unbounded(&self, message: Outgoing<'_>) -> Result<(), PublishError> {
        let channel = self.link.channel.load_full();
        let channel =
            channel.ok_or_else(|| PublishError::Unavailable("not connected".to_owned()))?;
        // A message sent now would wait in the connection, and be published long after the publisher
        // was told of a failure.
        if self.link.blocked.load(Ordering::Relaxed) {
            return Err(PublishError::Blocked);
        }
        let confirmation = channel
            .basic_publish(
                message.exchange.into(),
                message.routing_key.into(),
                BasicPublishOptions {
                    mandatory: message.mandatory,
                    ..BasicPublishOptions::default()
                },
                message.body,
                BasicProperties::default()
                    .with_content_type("application/json".into())
                    .with_delivery_mode(2)
                    .with_message_id(message.id.into())
                    .with_headers(message.headers),
            )
            .await
            .map_err(unavailable)?
            .await
            .map_err(unavailable)?;
        match confirmation {
            lapin::Confirmation::Ack(returned) => {
                self.link.confirms.count_positive();
                returned.map_or(Ok(()), |_| Err(PublishError::Refused))
            }
            lapin::Confirmation::Nack(_) => {
                self.link.confirms.count_negative();
                Err(PublishError::Refused)
            }
            lapin::Confirmation::NotRequested => Err(PublishError::NotConfirmed),
        }
    }
}

/// The result in the metrics.
fn metric_name(published: &Result<(), PublishError>) -> &'static str {
    match published {
        Ok(()) => "confirmed",
        Err(PublishError::Blocked) => "blocked",
        Err(PublishError::Unavailable(_) | PublishError::NotConfirmed) => "unavailable",
        Err(PublishError::Refused) => "refused",
        Err(PublishError::TimedOut) => "timeout",
    }
}

/// A message to publish.
struct Outgoing<'a> {
    exchange: &'static str,
    routing_key: &'a str,
    id: String,
    body: &'a [u8],
    headers: FieldTable,
    /// Whether RabbitMQ refuses the message when no queue is bound for the routing key.
    mandatory: bool,
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "map_err passes the error by value"
)]
fn unavailable(error: lapin::Error) -> PublishError {
    PublishError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Ok(()), "confirmed")]
    #[case(Err(PublishError::Blocked), "blocked")]
    #[case(Err(PublishError::Unavailable(String::new())), "unavailable")]
    #[case(Err(PublishError::NotConfirmed), "unavailable")]
    #[case(Err(PublishError::Refused), "refused")]
    #[case(Err(PublishError::TimedOut), "timeout")]
    fn each_result_has_its_label(#[case] published: Result<(), PublishError>, #[case] label: &str) {
        assert_eq!(metric_name(&published), label);
    }
}
