//! The signals that end a process.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The reaction to one SIGTERM or SIGINT.
#[derive(Debug, Clone)]
pub struct ShutdownStep {
    /// The log line, such as `asked to stop: draining`.
    pub log_line: &'static str,
    /// The token that is cancelled.
    pub cancel: CancellationToken,
}

/// Cancels the token of the first step at the first SIGTERM or SIGINT, that of the second step at
/// the second signal, and so on. Later signals do nothing.
///
/// The handlers are installed by the call itself, not by the future: a signal that arrives before
/// the future is polled does not end the process.
pub fn cancel_on_signals<const STEPS: usize>(
    steps: [ShutdownStep; STEPS],
) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    Ok(async move {
        for step in steps {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            log::info!("{}", step.log_line);
            step.cancel.cancel();
        }
    })
}
