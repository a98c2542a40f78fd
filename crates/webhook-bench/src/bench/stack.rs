//! Servers of our own, with their default durability.

use webhook_tests::{Servers, World};

use super::usage::Group;

/// A Postgres and a RabbitMQ that nobody else uses.
pub(crate) struct Stack {
    servers: Servers,
    /// All of Postgres.
    pub(crate) postgres: Group,
    /// All of RabbitMQ.
    pub(crate) rabbitmq: Group,
}

impl Stack {
    /// Starts them.
    pub(crate) async fn start() -> Self {
        let servers = Servers::start().await;
        let [postgres, rabbitmq] = servers.pids();
        Self {
            servers,
            postgres: Group::Family(postgres),
            rabbitmq: Group::Session(rabbitmq),
        }
    }

    /// A database and a vhost for one run.
    pub(crate) async fn world(&self) -> World {
        World::on(self.servers.urls()).await
    }
}
