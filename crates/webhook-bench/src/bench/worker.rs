//! The worker under measurement, as a separate process.

use std::process::Stdio;

use anyhow::Context;
use tokio::process::{Child, Command};
use webhook_tests::{Service, World};

use super::usage::Group;

/// Environment variables: names and values.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// The program under measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    /// The dispatcher.
    Product,
    /// The bare loop.
    Bare,
    /// The bare loop without a database: signs and posts only.
    Posting,
}

/// A running worker.
pub(crate) enum Worker {
    Product(Service),
    Bare(Child),
}

impl Worker {
    /// Starts a worker on the servers of `world`. The bare loop posts to `webhooks` paths under
    /// `sink_url`; the product reads webhooks from the database, and gets `variables` besides.
    pub(crate) fn start(
        contender: Contender,
        world: &World,
        sink_url: &str,
        webhooks: usize,
        variables: &Variables,
    ) -> anyhow::Result<Self> {
        // The bare loop is a hidden subcommand: a process of its own, like the product.
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bare", "--amqp", &world.broker.url]);
        match contender {
            Contender::Product => {
                let variables = variables.iter();
                let variables: Vec<_> = variables.map(|(name, value)| (*name, &**value)).collect();
                let service = Service::dispatcher_with(world, &variables);
                return Ok(Self::Product(service));
            }
            Contender::Bare => command.args(["--database", &world.database.url]),
            Contender::Posting => &mut command,
        };
        command
            .args(["--url", sink_url, "--webhooks", &webhooks.to_string()])
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Ok(Self::Bare(
            command.spawn().context("cannot start the bare loop")?,
        ))
    }

    /// The process, for the costs.
    pub(crate) fn group(&self) -> Group {
        let pid = match self {
            Self::Product(service) => Some(service.pid()),
            Self::Bare(child) => child.id(),
        };
        Group::process(pid.expect("the dispatcher runs"))
    }

    /// Kills the process and waits for the end.
    pub(crate) async fn stop(self) {
        match self {
            Self::Product(service) => service.kill().await,
            Self::Bare(mut child) => child.kill().await.expect("the loop was running"),
        }
    }
}
