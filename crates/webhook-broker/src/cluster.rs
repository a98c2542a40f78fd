//! The nodes of a RabbitMQ cluster, and how the queues are declared there.

use std::num::NonZeroU16;
use std::str::FromStr;

use lapin::Connection;
use tokio::time::timeout;

use crate::connection::{BrokerUrl, ConnectionPurpose, InvalidBrokerUrl, connect};
use crate::error::{BrokerError, OPENS_WITHIN};
use crate::topology;

/// The nodes of a RabbitMQ cluster. A connection goes to the first node that accepts one and has the queues.
#[derive(Clone)]
pub struct Cluster {
    nodes: Vec<BrokerUrl>,
    /// How many nodes hold each queue, set when the queues are declared; `None`: as RabbitMQ decides, three.
    queue_replicas: Option<NonZeroU16>,
}

impl FromStr for Cluster {
    type Err = InvalidBrokerUrl;

    /// Parses the URLs of the nodes, separated by commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let nodes = text.split(',').map(|url| url.trim().parse());
        Ok(Self {
            nodes: nodes.collect::<Result<_, _>>()?,
            queue_replicas: None,
        })
    }
}

impl std::fmt::Debug for Cluster {
    /// Shows host, port and vhost of each node, without users and passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, node) in self.nodes.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{node:?}")?;
        }
        Ok(())
    }
}

impl Cluster {
    /// The cluster, with queues on `queue_replicas` nodes.
    #[must_use]
    pub fn with_queue_replicas(self, queue_replicas: Option<NonZeroU16>) -> Self {
        Self {
            queue_replicas,
            ..self
        }
    }

    /// How many nodes are to hold each queue; `None`: as RabbitMQ decides.
    pub(crate) fn queue_replicas(&self) -> Option<NonZeroU16> {
        self.queue_replicas
    }

    /// Connects to the first node that accepts a connection, and declares nothing. The error is the last node's.
    pub(crate) async fn connect(
        &self,
        name: &str,
        purpose: ConnectionPurpose,
    ) -> Result<(Connection, &BrokerUrl), BrokerError> {
        let mut refused = BrokerError::TimedOut;
        for node in &self.nodes {
            match timeout(OPENS_WITHIN, connect(node, name, purpose)).await {
                Ok(Ok(connection)) => return Ok((connection, node)),
                Ok(Err(error)) => refused = error.into(),
                Err(_) => refused = BrokerError::TimedOut,
            }
        }
        Err(refused)
    }

    /// Connects to the first node that is there, and declares the topology. The error is the last node's.
    ///
    /// A broken connection is never repaired but replaced: the user of a connection must decide about
    /// unconfirmed and unacknowledged messages in any case.
    pub(crate) async fn open(
        &self,
        name: &str,
        purpose: ConnectionPurpose,
    ) -> Result<Connection, BrokerError> {
        let mut refused = BrokerError::TimedOut;
        for (place, node) in self.nodes.iter().enumerate() {
            let opening = async {
                let connection = connect(node, name, purpose).await?;
                // A node without a majority accepts connections, and has no queues.
                topology::declare(&connection, self.queue_replicas).await?;
                Ok(connection)
            };
            match timeout(OPENS_WITHIN, opening).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => refused = error,
                Err(_) => refused = BrokerError::TimedOut,
            }
            if place + 1 < self.nodes.len() {
                log::warn!(
                    "cannot connect to the broker at {node:?}, the next node is tried: {refused}"
                );
            }
        }
        Err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_separated_by_commas_and_shown_without_passwords() {
        let cluster: Cluster = "amqp://me:hunter2@one/hooks, amqp://me:hunter2@two:5673/hooks"
            .parse()
            .expect("two URLs");

        assert_eq!(format!("{cluster:?}"), "one:5672/hooks, two:5673/hooks");
    }

    #[test]
    fn a_single_wrong_node_is_refused() {
        assert!("amqp://one,http://two".parse::<Cluster>().is_err());
        assert!("amqp://one,".parse::<Cluster>().is_err());
    }

    #[test]
    fn the_nodes_stay_when_the_replicas_of_the_queues_are_set() {
        let cluster: Cluster = "amqp://one".parse().expect("a URL");

        let replicated = cluster.with_queue_replicas(NonZeroU16::new(5));

        assert_eq!(replicated.queue_replicas, NonZeroU16::new(5));
        assert_eq!(format!("{replicated:?}"), "one:5672//");
    }
}
