//! SIGTERM and SIGINT cancel tokens.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The reaction to a SIGTERM or SIGINT.
#[derive(Debug, Clone)]
pub struct ShutdownStep {
    /// The log line, for example `asked to stop: draining`.
    pub log_line: &'static str,
    /// The token to cancel.
    pub cancel: CancellationToken,
}

/// Cancels the token of the first step at the first SIGTERM or SIGINT, the token of the second step at
/// the second signal, and likewise for later steps. Signals after the last step have no effect.
///
/// The call installs the handlers, before the future is polled: from then on a signal no longer ends
/// the process at once.
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
