//! The result of a step of a job.

use serde_json::Value;

use crate::dispatch::ordering::Turns;

/// The result of a step.
pub(super) struct Step {
    /// The number of deliveries made due.
    pub(super) done: usize,
    /// The number of deliveries or events left alone.
    pub(super) skipped: usize,
    /// The place of the last delivery or event; `None`: the job is done.
    pub(super) position: Option<Value>,
    /// The ordering keys of the deliveries.
    pub(super) turns: Turns,
}
