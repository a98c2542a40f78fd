use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::StreamExt;
use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_domain::{Event, Origin};

use crate::connection::{BrokerError, BrokerUrl, Use, close, open};
use crate::rejection::origin_headers;
use crate::topology::{EVENTS_EXCHANGE, EVENTS_QUEUE, STATUS_EXCHANGE};

/// How long a confirm may take before the publisher is told that it has to try again.
pub(crate) const CONFIRM_WITHIN: Duration = Duration::from_secs(5);

/// The first and the longest pause between two tries to connect.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How often a connection is looked at that tells nothing.
const IDLE_CHECK: Duration = Duration::from_secs(1);

/// Publishes with confirms, over a connection that is renewed for ever.
#[derive(Clone)]
pub struct Publisher {
    channel: Arc<ArcSwapOption<Channel>>,
    /// The broker takes nothing from publishers, as its memory or its disk is short.
    blocked: Arc<AtomicBool>,
}

/// Whether events can be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerState {
    /// They can.
    Ready,
    /// There is no connection.
    Away,
    /// The broker takes nothing from publishers until it has memory or disk again.
    Blocked,
}

/// Why an event was not taken. Whether the broker has it is unknown for
/// [`TimedOut`](Self::TimedOut) and [`Unavailable`](Self::Unavailable): publishing it again under
/// the same id is safe.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// There is no connection, or it broke.
    #[error("the broker is not available: {0}")]
    Unavailable(String),
    /// The broker takes nothing from publishers, as its memory or its disk is short.
    #[error("the broker takes nothing from publishers at the moment")]
    Blocked,
    /// The channel is not in confirm mode.
    #[error("the broker was not asked to confirm")]
    NotConfirmed,
    /// The broker refused it, or no queue is bound.
    #[error("the broker refused the event")]
    Refused,
    /// The broker did not confirm in time.
    #[error("the broker did not confirm within {} s", CONFIRM_WITHIN.as_secs())]
    TimedOut,
}

impl Publisher {
    /// Starts connecting in the background, until `cancel`.
    pub fn start(url: BrokerUrl, name: &str, cancel: CancellationToken) -> Self {
        let channel = Arc::new(ArcSwapOption::empty());
        let blocked = Arc::default();
        let publisher = Self { channel, blocked };
        let name = name.to_owned();
        tokio::spawn(keep_connected(publisher.clone(), url, name, cancel));
        publisher
    }

    /// Whether there is a connection.
    pub fn is_connected(&self) -> bool {
        self.state() != BrokerState::Away
    }

    /// Whether an event could be published now.
    pub fn state(&self) -> BrokerState {
        let channel = self.channel.load();
        let connected = channel.as_ref().is_some_and(|c| c.status().connected());
        if !connected {
            BrokerState::Away
        } else if self.blocked.load(Ordering::Relaxed) {
            BrokerState::Blocked
        } else {
            BrokerState::Ready
        }
    }

    /// Publishes an event and waits until the broker has it on disk.
    pub async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        let message = Outgoing {
            exchange: EVENTS_EXCHANGE,
            routing_key: &event.routing_key(),
            id: event.id.to_string(),
            body: &event.body,
            headers: FieldTable::default(),
            mandatory: true,
        };
        self.publish_within(message).await
    }

    /// Publishes events side by side, in order. The answers stand in the same order.
    pub async fn publish_all(&self, events: &[Event]) -> Vec<Result<(), PublishError>> {
        join_all(events.iter().map(|event| self.publish(event))).await
    }

    /// Tells the platform's services, and waits until the broker has done so. That nobody listens
    /// is no error.
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

    /// Puts a rejected message back into the events queue, and waits until the broker has it on
    /// disk. It does not go through the exchange again, as whoever else is bound there had it.
    pub async fn requeue(
        &self,
        id: Uuid,
        origin: &Origin,
        body: &[u8],
    ) -> Result<(), PublishError> {
        let message = Outgoing {
            exchange: "",
            routing_key: EVENTS_QUEUE,
            id: id.to_string(),
            body,
            headers: origin_headers(origin),
            mandatory: true,
        };
        self.publish_within(message).await
    }

    async fn publish_within(&self, message: Outgoing<'_>) -> Result<(), PublishError> {
        match timeout(CONFIRM_WITHIN, self.publish_unbounded(message)).await {
            Ok(result) => result,
            Err(_) => Err(PublishError::TimedOut),
        }
    }

    async fn publish_unbounded(&self, message: Outgoing<'_>) -> Result<(), PublishError> {
        let channel = self.channel.load_full();
        let channel =
            channel.ok_or_else(|| PublishError::Unavailable("not connected".to_owned()))?;
        // What is sent now would wait in the connection, and be published long after its publisher
        // was told that it was not.
        if self.blocked.load(Ordering::Relaxed) {
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
            lapin::Confirmation::Ack(None) => Ok(()),
            lapin::Confirmation::Ack(Some(_)) | lapin::Confirmation::Nack(_) => {
                Err(PublishError::Refused)
            }
            lapin::Confirmation::NotRequested => Err(PublishError::NotConfirmed),
        }
    }
}

/// A message on its way to an exchange.
struct Outgoing<'a> {
    exchange: &'static str,
    routing_key: &'a str,
    id: String,
    body: &'a [u8],
    headers: FieldTable,
    /// Whether it is refused when no queue takes it.
    mandatory: bool,
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "it is used as a function of map_err"
)]
fn unavailable(error: lapin::Error) -> PublishError {
    PublishError::Unavailable(error.to_string())
}

/// Connects, and opens a channel with publisher confirms.
pub(crate) async fn open_confirming(
    url: &BrokerUrl,
    name: &str,
) -> Result<(Connection, Channel), BrokerError> {
    let connection = open(url, name, Use::Publishing).await?;
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    Ok((connection, channel))
}

async fn keep_connected(
    publisher: Publisher,
    url: BrokerUrl,
    name: String,
    cancel: CancellationToken,
) {
    let mut pause = RECONNECT.0;
    while !cancel.is_cancelled() {
        match open_confirming(&url, &name).await {
            Ok((connection, channel)) => {
                log::info!("connected to the broker at {url:?}");
                publisher.blocked.store(false, Ordering::Relaxed);
                publisher.channel.store(Some(Arc::new(channel.clone())));
                pause = RECONNECT.0;
                let broken = until_broken(&publisher, &connection, &channel, &cancel).await;
                publisher.channel.store(None);
                match broken {
                    Some(reason) => log::warn!("lost the broker: {reason}"),
                    None => close(&connection).await,
                }
            }
            Err(error) => log::warn!("cannot connect to the broker at {url:?}: {error}"),
        }
        // Spread, so that many services do not come back at the same moment.
        let spread = pause.mul_f64(rand::random_range(0.5..1.0));
        tokio::select! {
            () = tokio::time::sleep(spread) => {}
            () = cancel.cancelled() => {}
        }
        pause = (pause * 2).min(RECONNECT.1);
    }
}

/// Waits for the connection's end and tells its reason, or `None` when we are asked to stop.
///
/// The connection may have ended before anybody listened to it, and a channel may end without its
/// connection: so both are looked at, too.
async fn until_broken(
    publisher: &Publisher,
    connection: &Connection,
    channel: &Channel,
    cancel: &CancellationToken,
) -> Option<String> {
    let mut events = Box::pin(connection.events_listener());
    let mut looks = tokio::time::interval(IDLE_CHECK);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return None,
            _ = looks.tick() => {
                if !connection.status().connected() || !channel.status().connected() {
                    return Some("the connection or its channel ended".to_owned());
                }
            }
            event = events.next() => match event {
                Some(lapin::Event::Error(error)) => return Some(error.to_string()),
                Some(lapin::Event::ConnectionBlocked(reason)) => {
                    publisher.blocked.store(true, Ordering::Relaxed);
                    log::warn!("the broker takes nothing from publishers: {reason}");
                }
                Some(lapin::Event::ConnectionUnblocked) => {
                    publisher.blocked.store(false, Ordering::Relaxed);
                    log::info!("the broker takes messages from publishers again");
                }
                None => return Some("the connection ended".to_owned()),
                Some(other) => log::debug!("broker: {other:?}"),
            },
        }
    }
}
