//! The dispatcher's process: configuration, logging, run, drain, exit code.

use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use webhook_dispatcher::Config;

mod logging;

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
    logging::start(checked.log_format, &checked.log_filter);
    match start(&config, checked.listen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(config: &Config, listen: std::net::SocketAddr) -> anyhow::Result<()> {
    let listener =
        TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let cancel = CancellationToken::new();
    tokio::spawn(cancel_on_signal(cancel.clone())?);
    webhook_dispatcher::serve(config, listener, cancel).await
}

/// SIGTERM and SIGINT begin the drain; the handlers are there before anything else starts.
fn cancel_on_signal(cancel: CancellationToken) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        log::info!("asked to stop: draining");
        cancel.cancel();
    })
}
