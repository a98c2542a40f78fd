//! Waiting for Postgres at the start of a process: an orchestrator starts both at once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The pause after the first failed try. Doubles with each further try.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Tries `start` until it succeeds, for as long as the reason is that Postgres cannot be reached. Returns `None` if
/// `cancel` is cancelled first, and every other error at once: waiting mends no wrong encoding.
pub async fn wait_for_postgres<T>(
    cancel: &CancellationToken,
    mut start: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match start().await {
            Ok(started) => return Ok(Some(started)),
            Err(error) if webhook_store::is_away(&error) => error,
            Err(error) => return Err(error),
        };
        log::warn!("waiting for Postgres: {error:#}");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cancel.cancelled() => return Ok(None),
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}
