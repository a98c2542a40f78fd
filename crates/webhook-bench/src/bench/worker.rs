//! Who delivers, as a process.

use std::process::Stdio;

use anyhow::Context;
use tokio::process::{Child, Command};
use webhook_tests::Service;

use super::course::Course;
use super::usage::Group;

/// Variables of the environment, by their names.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The dispatcher.
    Product,
    /// The bare loop.
    Bare,
    /// The bare loop without a database: it signs and posts.
    Posting,
}

/// One that works.
pub(crate) enum Worker {
    Product(Service),
    Bare(Child),
}

impl Worker {
    /// Starts it. The bare ones are told how many webhooks the sink is; the product has to know.
    pub(crate) fn start(who: Who, course: &Course<'_>, webhooks: usize) -> anyhow::Result<Self> {
        let (world, sink) = (&course.world, &course.sink);
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bare", "--amqp", &world.broker.url]);
        match who {
            Who::Product => {
                let variables = course.variables.iter();
                let variables: Vec<_> = variables.map(|(name, value)| (*name, &**value)).collect();
                let service = Service::dispatcher_with(world, &variables);
                return Ok(Self::Product(service));
            }
            Who::Bare => command.args(["--database", &world.database.url]),
            Who::Posting => &mut command,
        };
        command
            .args(["--url", &sink.url, "--webhooks", &webhooks.to_string()])
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Ok(Self::Bare(command.spawn().context("the bare loop")?))
    }

    /// Its process.
    pub(crate) fn group(&self) -> Group {
        let pid = match self {
            Self::Product(service) => Some(service.pid()),
            Self::Bare(child) => child.id(),
        };
        Group::process(pid.expect("it runs"))
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        match self {
            Self::Product(service) => service.kill().await,
            Self::Bare(mut child) => child.kill().await.expect("it was running"),
        }
    }
}
