//! Whether an event could be taken in, delivered and recorded by this worker now.

use std::sync::atomic::{AtomicBool, Ordering};

/// What the worker's loops say of themselves. Each is told by the one loop that it is about.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    /// A consumer is registered at the events queue; another worker's may be the active one.
    consuming: AtomicBool,
    /// Events that were handed out cannot be committed.
    intake_is_stuck: AtomicBool,
    /// Attempts that were made cannot be recorded.
    recorder_is_stuck: AtomicBool,
}

impl Readiness {
    pub(crate) fn set_consuming(&self, consuming: bool) {
        self.consuming.store(consuming, Ordering::Relaxed);
    }

    pub(crate) fn set_intake_stuck(&self, stuck: bool) {
        self.intake_is_stuck.store(stuck, Ordering::Relaxed);
    }

    pub(crate) fn set_recorder_stuck(&self, stuck: bool) {
        self.recorder_is_stuck.store(stuck, Ordering::Relaxed);
    }

    pub(crate) fn is_consuming(&self) -> bool {
        self.consuming.load(Ordering::Relaxed)
    }

    pub(crate) fn is_taking_in(&self) -> bool {
        !self.intake_is_stuck.load(Ordering::Relaxed)
    }

    pub(crate) fn is_recording(&self) -> bool {
        !self.recorder_is_stuck.load(Ordering::Relaxed)
    }
}
