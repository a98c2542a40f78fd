//! Whether the broker may hand out larger messages than this worker can hold a thousand of.

use std::sync::atomic::Ordering;
use std::time::Duration;

use webhook_broker::accepts_larger_messages;
use webhook_domain::outside::MAX_MESSAGE_BYTES;

use crate::{Worker, intake};

/// The pause after the broker could not be asked.
const PAUSE: Duration = Duration::from_secs(10);

/// How many messages are in hand at most while the broker may hand out messages of any size.
pub(crate) const CAREFUL_PREFETCH: u16 = 64;

/// Asks until there is an answer, or the worker is asked to stop. Only then may many messages be in hand,
/// or a person is told why not.
pub(crate) async fn check_message_size(worker: &Worker<'_>) {
    loop {
        let asked = tokio::select! {
            asked = accepts_larger_messages(&worker.settings.broker) => asked,
            () = worker.cancel.cancelled() => return,
        };
        match asked {
            Ok(false) => {
                let many = intake::SOURCE.max_prefetch;
                return worker.max_prefetch.store(many, Ordering::Relaxed);
            }
            Ok(true) => {
                return log::warn!(
                    "the broker accepts messages of more than {} KiB, so no more than \
                     {CAREFUL_PREFETCH} are taken at once, which is slow: set max_message_size = \
                     {MAX_MESSAGE_BYTES} in rabbitmq.conf, see docs/operating.md",
                    MAX_MESSAGE_BYTES / 1024
                );
            }
            Err(error) => log::debug!("the broker's largest message is not known yet: {error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = worker.cancel.cancelled() => return,
        }
    }
}
