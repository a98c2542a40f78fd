//! Whether the broker bounds the size of messages. Only then may a worker hold a thousand messages.

use std::sync::atomic::Ordering;
use std::time::Duration;

use webhook_broker::accepts_larger_messages;
use webhook_domain::outside::MAX_MESSAGE_BYTES;

use crate::pipeline::intake;
use crate::worker::Worker;

/// The pause after the broker could not be asked.
const PAUSE_AFTER_CHECK_FAILURE: Duration = Duration::from_secs(10);

/// The most unacknowledged events while the broker may deliver messages of any size.
pub(crate) const CAREFUL_PREFETCH: u16 = 64;

/// Asks the broker until there is a reply, or the worker is asked to stop. After the reply the prefetch
/// grows, or a log line tells the operator why not.
pub(crate) async fn check_message_size(worker: &Worker) {
    loop {
        let asked = tokio::select! {
            asked = accepts_larger_messages(&worker.config.broker) => asked,
            () = worker.cancel.cancelled() => return,
        };
        match asked {
            Ok(false) => {
                let many = intake::SOURCE.max_prefetch;
                return worker.events_prefetch.store(many, Ordering::Relaxed);
            }
            Ok(true) => {
                return log::warn!(
                    "the broker accepts messages of more than {} KiB: the prefetch stays at \
                     {CAREFUL_PREFETCH}, and the intake is slow; set max_message_size = \
                     {MAX_MESSAGE_BYTES} in rabbitmq.conf, see docs/operating.md",
                    MAX_MESSAGE_BYTES / 1024
                );
            }
            Err(error) => log::debug!("cannot read the broker's largest message size yet: {error}"),
        }
        if !worker.sleep_or_stop(PAUSE_AFTER_CHECK_FAILURE).await {
            return;
        }
    }
}
