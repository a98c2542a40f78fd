//! The API's process: configuration, logging, the command, exit code.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use webhook_api::{Flags, Listeners, request_id};
use webhook_domain::{KeyName, Role};
use webhook_service::logging::{self, CurrentField, LogFormat};
use webhook_service::problems::ConfigProblems;
use webhook_service::signals::{ShutdownStep, cancel_on_signals};

/// Every log line written during a request carries the id of the request.
const REQUEST_ID: CurrentField = CurrentField {
    name: "request_id",
    value: request_id::current,
};

/// The API of the platform's webhooks
#[derive(Parser)]
#[command(name = "webhook-api", version)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Migrate the database and serve the API (default)
    Serve,
    /// Bring the database's schema up to date
    Migrate,
    /// Seal every secret with the first key of WEBHOOK_SECRET_KEY; then the other keys can be removed
    Reseal,
    /// Print the API's OpenAPI document
    Openapi,
    /// Print the AsyncAPI document of the messages on RabbitMQ
    Asyncapi,
    /// Manage API keys
    #[command(subcommand)]
    Keys(KeysCommand),
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Create an API key and print the key, which cannot be shown again
    Create {
        /// viewer, publisher, admin or owner
        #[arg(long)]
        role: Role,
        /// Purpose of the key
        #[arg(long, default_value = "Created on the command line")]
        name: KeyName,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { flags, command } = Arguments::parse();
    let done = match command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&flags).await,
        Command::Migrate => migrate(&flags).await,
        Command::Reseal => reseal(&flags).await,
        Command::Openapi => {
            print!("{}", webhook_api::openapi_document());
            Ok(())
        }
        Command::Asyncapi => {
            print!("{}", webhook_api::asyncapi_document());
            Ok(())
        }
        Command::Keys(KeysCommand::Create { role, name }) => create_key(&flags, role, &name).await,
    };
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    eprintln!("webhook-api: {error:#}");
    if error.is::<ConfigProblems>() {
        return ExitCode::from(2);
    }
    ExitCode::FAILURE
}

async fn serve(flags: &Flags) -> anyhow::Result<()> {
    let config = flags.check()?;
    logging::start(config.log_format, &config.log_filter, Some(REQUEST_ID));
    let listen = config.listen;
    let listener = bind(listen)?;
    let operations_listener = bind(config.operations_listen)?;
    let cancel = CancellationToken::new();
    let drain = ShutdownStep {
        log_line: "asked to stop: draining",
        cancel: cancel.clone(),
    };
    // Before the first connection: a signal at start begins the drain, too.
    tokio::spawn(cancel_on_signals([drain])?);
    log::info!("serving on http://{}", listener.local_addr()?);
    let listeners = Listeners {
        public: listener,
        operations: operations_listener,
    };
    webhook_api::run(config, listeners, cancel).await
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))
}

async fn migrate(flags: &Flags) -> anyhow::Result<()> {
    let database_url = flags.check_database_url()?;
    let database_url = database_url.as_str();
    logging::start(LogFormat::Text, &flags.rust_log, None);
    webhook_store::check_sessions(database_url).await?;
    webhook_api::migrate(database_url).await
}

async fn reseal(flags: &Flags) -> anyhow::Result<()> {
    let (database_url, keys) = flags.check_sealing()?;
    let (sealed, unreadable) = webhook_api::reseal(database_url.as_str(), &keys).await?;
    println!("resealed the secrets of {sealed} webhooks");
    for id in &unreadable {
        eprintln!("no key opens the secrets of webhook {id}");
    }
    anyhow::ensure!(unreadable.is_empty(), "some secrets were not resealed");
    Ok(())
}

/// Prints the key alone, for scripts.
async fn create_key(flags: &Flags, role: Role, name: &KeyName) -> anyhow::Result<()> {
    let database_url = flags.check_database_url()?;
    let key = webhook_api::create_key(database_url.as_str(), role, name).await?;
    println!("{}", key.reveal());
    Ok(())
}
