//! Results: the channel from the couriers to the recorder.

use tokio::sync::mpsc;
use webhook_domain::{Observation, OrderingKey};
use webhook_store::attempts::AttemptResult;

/// How many results wait for the recorder at most. Then couriers wait, so a slow Postgres slows the
/// attempts instead of filling the memory.
const MAX_QUEUED_RESULTS: usize = 1_024;

/// An attempt with its verdict, on the way to the recorder.
pub(crate) struct JudgedAttempt {
    /// The attempt, the transcript, and the next state of the delivery.
    pub(crate) result: AttemptResult,
    /// The observation for the webhook's circuit. `None`: the attempt does not count there.
    pub(crate) observation: Option<Observation>,
    /// The ordering key of a delivery ended by the attempt. The next delivery of the key goes once the
    /// result is committed.
    pub(crate) ends_turn_of: Option<OrderingKey>,
}

/// Where couriers hand results in.
pub(crate) type Results = mpsc::Sender<JudgedAttempt>;

/// Makes the channel.
pub(crate) fn channel() -> (Results, mpsc::Receiver<JudgedAttempt>) {
    mpsc::channel(MAX_QUEUED_RESULTS)
}
