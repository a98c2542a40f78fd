//! Private servers with default durability.

use webhook_tests::{Servers, World};

use super::usage::Group;

/// A private Postgres and a private RabbitMQ.
pub(crate) struct Stack {
    servers: Servers,
    /// All processes of Postgres.
    pub(crate) postgres: Group,
    /// All processes of RabbitMQ.
    pub(crate) rabbitmq: Group,
}

impl Stack {
    /// Starts both servers.
    pub(crate) async fn start() -> Self {
        let servers = Servers::start().await;
        let [postgres, rabbitmq] = servers.pids();
        Self {
            servers,
            postgres: Group::Family(postgres),
            rabbitmq: Group::Session(rabbitmq),
        }
    }

    /// A database and a vhost for a run.
    pub(crate) async fn world(&self) -> World {
        World::on(self.servers.urls()).await
    }
}
