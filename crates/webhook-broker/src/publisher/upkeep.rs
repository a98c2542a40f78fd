//! The connection of a publisher, opened again after every loss.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::StreamExt;
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection};
use tokio_util::sync::CancellationToken;
use webhook_metrics::catalogue::{BROKER_BLOCKED, BROKER_CONNECTED, BROKER_RECONNECTS};

use super::confirms::Confirms;
use crate::cluster::Cluster;
use crate::connection::{ConnectionPurpose, close};
use crate::error::BrokerError;

/// Pause before the second try to connect. Doubles with each further try.
const FIRST_RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause between two tries to connect.
const MAX_RECONNECT_PAUSE: Duration = Duration::from_secs(5);

/// Interval between two checks of a silent connection. A loss without a report is noticed after at most
/// this long.
const CONNECTION_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The connection of a publisher and what is known of it, shared by all clones of the publisher.
#[derive(Default)]
pub(super) struct Link {
    /// `None`: there is no connection.
    pub(super) channel: ArcSwapOption<Channel>,
    /// Whether RabbitMQ blocks publishers during a memory or disk alarm.
    pub(super) blocked: AtomicBool,
    pub(super) confirms: Confirms,
}

impl Link {
    fn set_blocked(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
        BROKER_BLOCKED.set_count(usize::from(blocked));
    }
}

/// Connects, and opens a channel with publisher confirms.
pub(super) async fn open_confirming(
    cluster: &Cluster,
    name: &str,
) -> Result<(Connection, Channel), BrokerError> {
    let connection = cluster.open(name, ConnectionPurpose::Publishing).await?;
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    Ok((connection, channel))
}

pub(super) async fn keep_connected(
    link: Arc<Link>,
    cluster: Cluster,
    name: String,
    cancel: CancellationToken,
) {
    BROKER_CONNECTED.set_count_for(&["publisher"], 0);
    BROKER_BLOCKED.set_count(0);
    let mut pause = FIRST_RECONNECT_PAUSE;
    while !cancel.is_cancelled() {
        match open_confirming(&cluster, &name).await {
            Ok((connection, channel)) => {
                log::info!("connected to the broker at {cluster:?}");
                BROKER_CONNECTED.set_count_for(&["publisher"], 1);
                // Before the channel is visible: the block of the lost connection is over.
                link.set_blocked(false);
                link.channel.store(Some(Arc::new(channel.clone())));
                pause = FIRST_RECONNECT_PAUSE;
                let broken = until_broken(&link, &connection, &channel, &cancel).await;
                link.channel.store(None);
                BROKER_CONNECTED.set_count_for(&["publisher"], 0);
                match broken {
                    Some(reason) => {
                        BROKER_RECONNECTS.add_for(&["publisher"], 1);
                        log::warn!("lost the broker: {reason}");
                    }
                    None => close(&connection).await,
                }
            }
            Err(error) => log::warn!("cannot connect to the broker at {cluster:?}: {error}"),
        }
        // Random: otherwise all services would meet a restarted broker at the same moment.
        let random = pause.mul_f64(rand::random_range(0.5..1.0));
        tokio::select! {
            () = tokio::time::sleep(random) => {}
            () = cancel.cancelled() => {}
        }
        pause = (pause * 2).min(MAX_RECONNECT_PAUSE);
    }
}

/// Waits for the end of the connection and returns the reason, or `None` when `cancel` is cancelled.
///
/// The states of connection and channel are polled besides the events: the connection may have ended
/// before the listener was there, and a channel may end without the connection.
pub(super) async fn until_broken(
    link: &Link,
    connection: &Connection,
    channel: &Channel,
    cancel: &CancellationToken,
) -> Option<String> {
    let mut events = Box::pin(connection.events_listener());
    let mut checks = tokio::time::interval(CONNECTION_CHECK_INTERVAL);
    let mut before = link.confirms.now();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return None,
            _ = checks.tick() => {
                if !connection.status().connected() || !channel.status().connected() {
                    return Some("the connection or its channel ended".to_owned());
                }
                let now = link.confirms.now();
                // RabbitMQ before 3.12.5: a channel that was opened while a queue changed its leader asks the lost
                // leader for ever, and refuses every message. A channel of its own time finds the new leader.
                if now.only_negative_since(before) {
                    return Some("RabbitMQ refuses every message".to_owned());
                }
                before = now;
            }
            event = events.next() => match event {
                Some(lapin::Event::Error(error)) => return Some(error.to_string()),
                Some(lapin::Event::ConnectionBlocked(reason)) => {
                    link.set_blocked(true);
                    log::warn!("the broker blocks publishers: {reason}");
                }
                Some(lapin::Event::ConnectionUnblocked) => {
                    link.set_blocked(false);
                    log::info!("the broker no longer blocks publishers");
                }
                None => return Some("the connection ended".to_owned()),
                Some(other) => log::debug!("broker: {other:?}"),
            },
        }
    }
}
