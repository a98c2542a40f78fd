//! Readiness: whether the worker could take an event in, deliver and record now.

use std::sync::atomic::{AtomicBool, Ordering};

/// The state of the intake and the recorder, each of which sets its own values.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    /// A consumer is registered at the events queue. The active consumer may be another worker's.
    consuming: AtomicBool,
    /// Consumed events cannot be committed.
    intake_is_stuck: AtomicBool,
    /// Finished attempts cannot be recorded.
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
