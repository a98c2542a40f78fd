//! The command line of operators: a file per verb. docs/command-line.md shows each verb with an example.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use webhook_api::Flags;

// Tools of verbs.
mod output;

// The service itself.
mod keys;
mod migrate;
mod serve;

// Looking: changes nothing.
mod completions;
mod config;
mod doctor;
mod documents;
mod listen;

// Changing.
mod events;
mod plan;
mod secrets;

/// The API of the platform's webhooks, and the command line of its operators
#[derive(Parser)]
#[command(name = "webhook-api", version)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Migrate the database and serve the API (default)
    Serve,
    /// Bring the database's schema up to date
    Migrate(migrate::Migrate),
    /// Check everything that an installation needs, and tell what to do, worst first
    Doctor(doctor::Doctor),
    /// Show every setting with the source of its value, secrets masked
    Config(config::ShowConfig),
    /// Publish events
    #[command(subcommand)]
    Events(events::Events),
    /// Receive webhook requests in the terminal: verify, print, answer or forward
    Listen(Box<listen::Listen>),
    /// Show what `apply` of an export file would change: exit code 0 nothing, 2 changes, 1 an error
    Plan(plan::Plan),
    /// Create and change webhooks as an export file says; others stay
    Apply(plan::Apply),
    /// Manage API keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Manage the sealed secrets of webhooks
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Print a script that completes flags and verbs in a shell
    Completions(completions::Completions),
    /// Print the API's OpenAPI document
    Openapi,
    /// Print the AsyncAPI document of the messages on RabbitMQ
    Asyncapi,
    /// The name of `secrets reseal` until the release before
    #[command(hide = true)]
    Reseal,
    /// Print docs/configuration.md up to the sections of the dispatcher
    #[command(hide = true)]
    ConfigurationDocs,
}

/// A call of the program: the verb, the flags, and the sources of their values.
pub(crate) struct Invocation {
    flags: Flags,
    verb: Verb,
    matches: ArgMatches,
}

impl Invocation {
    /// Reads the arguments of the process. The error is the exit code after `--help`, or after a message
    /// about a wrong argument.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        let read = Arguments::command().try_get_matches().and_then(|matches| {
            let arguments = Arguments::from_arg_matches(&matches)?;
            Ok((arguments, matches))
        });
        let (arguments, matches) = read.map_err(|error| {
            // A closed terminal takes no message.
            let _ = error.print();
            match error.use_stderr() {
                false => ExitCode::SUCCESS,
                true => usage_exit_code(env::args_os()),
            }
        })?;
        Ok(Self {
            flags: arguments.flags,
            verb: arguments.verb.unwrap_or(Verb::Serve),
            matches,
        })
    }

    /// Runs the verb. The exit codes of each verb stand in docs/command-line.md.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let (flags, matches) = (&self.flags, &self.matches);
        match self.verb {
            Verb::Serve => serve::serve(flags).await,
            Verb::Migrate(migrate) => migrate.run(flags).await,
            Verb::Config(config) => config.run(flags, matches),
            Verb::Doctor(doctor) => doctor.run(flags, matches).await,
            Verb::Events(events) => events.run(flags).await,
            Verb::Listen(listen) => listen.run().await,
            Verb::Plan(plan) => plan.run(flags).await,
            Verb::Apply(apply) => apply.run(flags).await,
            Verb::Keys(keys) => keys.run(flags).await,
            Verb::Secrets(secrets) => secrets.run(flags).await,
            Verb::Completions(completions) => completions.run(&mut Arguments::command()),
            Verb::Openapi => documents::print_openapi(),
            Verb::Asyncapi => documents::print_asyncapi(),
            Verb::Reseal => secrets::reseal_by_old_name(flags).await,
            Verb::ConfigurationDocs => documents::print_configuration(&Arguments::command()),
        }
    }
}

/// The exit code after a wrong argument: 2, but for `plan`, where 2 says that there are changes.
fn usage_exit_code(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    if arguments.any(|argument| argument == "plan") {
        return ExitCode::FAILURE;
    }
    ExitCode::from(2)
}
