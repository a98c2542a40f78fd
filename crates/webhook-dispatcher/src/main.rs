//! The dispatcher's process: configuration, logging, run, drain, exit code.

use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};
use tikv_jemallocator::Jemalloc;
use webhook_dispatcher::{Config, Flags, RENAMED, Stops};
use webhook_service::signals::{ShutdownStep, cancel_on_signals};
use webhook_service::{logging, reference, renamed};

/// Costs a sixth less CPU under load than the system's allocator.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[derive(Parser)]
#[command(name = "webhook-dispatcher", version, about)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print the sections of the dispatcher in docs/configuration.md
    #[command(hide = true)]
    ConfigurationDocs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let (arguments, warnings) = renamed::arguments(&RENAMED);
    let Arguments { flags, command } = Arguments::parse_from(arguments);
    if let Some(Command::ConfigurationDocs) = command {
        print!("{}", reference::sections(&Arguments::command()));
        return ExitCode::SUCCESS;
    }
    let config = match flags.check() {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("webhook-dispatcher: {problems}");
            return ExitCode::from(2);
        }
    };
    logging::start(config.log_format, &config.log_filter, None);
    for warning in warnings {
        log::warn!("{warning}");
    }
    let traces = match webhook_traces::start(&config.traces, "webhook-dispatcher") {
        Ok(traces) => traces,
        Err(error) => {
            log::error!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let served = serve(config).await;
    traces.end().await;
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    // A request takes a file descriptor, and the usual soft limit of 1,024 is soon reached.
    let files = rlimit::increase_nofile_limit(u64::MAX).context("cannot raise the file limit")?;
    log::debug!("up to {files} open files");
    let listen = config.operations_listen;
    let listener =
        TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let stops = Stops::default();
    let drain = ShutdownStep {
        log_line: "asked to stop: draining",
        cancel: stops.drain.clone(),
    };
    let cut_off = ShutdownStep {
        log_line: "asked again: running attempts are cut off and handed back",
        cancel: stops.cut_off.clone(),
    };
    // Before the first connection: a signal at start begins the drain, too.
    tokio::spawn(cancel_on_signals([drain, cut_off])?);
    webhook_dispatcher::serve(config, listener, stops).await
}
