//! Whether the broker may hand out more than this worker can hold, told once at start.

use std::time::Duration;

use webhook_broker::accepts_larger_messages;
use webhook_domain::outside::MAX_MESSAGE_BYTES;

use crate::Worker;

/// The pause after the broker could not be asked.
const PAUSE: Duration = Duration::from_secs(10);

/// Asks until there is an answer, or the worker is asked to stop.
pub(crate) async fn warn_of_large_messages(worker: &Worker<'_>) {
    while !worker.cancel.is_cancelled() {
        match accepts_larger_messages(&worker.settings.broker).await {
            Ok(false) => return,
            Ok(true) => {
                return log::warn!(
                    "the broker accepts messages of more than {} KiB, of which up to 1,000 may come at \
                     once: set max_message_size = {MAX_MESSAGE_BYTES} in rabbitmq.conf, see \
                     docs/operating.md",
                    MAX_MESSAGE_BYTES / 1024
                );
            }
            Err(error) => log::debug!("the broker's largest message is not known yet: {error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = worker.cancel.cancelled() => {}
        }
    }
}
