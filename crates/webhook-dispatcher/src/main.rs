//! The dispatcher's process: configuration, logging, run, drain, exit code.

use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tikv_jemallocator::Jemalloc;
use tokio::signal::unix::{SignalKind, signal};
use webhook_dispatcher::{Config, Stops};
use webhook_service::logging;

/// Takes a sixth less of the CPU under load than the system's.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    let checked = match config.check() {
        Ok(checked) => checked,
        Err(problems) => {
            eprintln!("webhook-dispatcher: {problems}");
            return ExitCode::from(2);
        }
    };
    logging::start(checked.log_format, &checked.log_filter, None);
    match start(&config, checked.listen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(config: &Config, listen: std::net::SocketAddr) -> anyhow::Result<()> {
    // A request takes a file descriptor, and the usual soft limit of 1,024 is soon reached.
    let files = rlimit::increase_nofile_limit(u64::MAX).context("cannot raise the file limit")?;
    log::debug!("up to {files} open files");
    let listener =
        TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let stops = Stops::default();
    tokio::spawn(stop_on_signals(stops.clone())?);
    webhook_dispatcher::serve(config, listener, stops).await
}

/// The first SIGTERM or SIGINT begins the drain, the second one ends it; the handlers are there
/// before anything else starts.
fn stop_on_signals(stops: Stops) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    Ok(async move {
        for (message, stop) in [
            ("asked to stop: draining", &stops.cancel),
            (
                "asked again: running attempts are cut off and handed back",
                &stops.deadline,
            ),
        ] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            log::info!("{message}");
            stop.cancel();
        }
    })
}
