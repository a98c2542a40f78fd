//! Readiness: whether the worker could take an event in, deliver and record now.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The state of the intake and the recorder, each of which sets its own values.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    /// A consumer is registered at the events queue. The active consumer may be another worker's.
    consuming: AtomicBool,
    /// Consumed events cannot be committed.
    intake_is_stuck: AtomicBool,
    /// Finished attempts cannot be recorded.
    recorder_is_stuck: AtomicBool,
    /// Results handed in to the recorder.
    handed_in: AtomicU64,
    /// Results that Postgres has recorded.
    recorded: AtomicU64,
    /// Results given up, as Postgres refuses them.
    lost: AtomicU64,
}

/// How many results the recorder has had so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RecordingCounts {
    /// Handed in.
    pub(crate) handed_in: u64,
    /// Recorded by Postgres.
    pub(crate) recorded: u64,
    /// Given up.
    pub(crate) lost: u64,
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

    pub(crate) fn count_handed_in(&self) {
        self.handed_in.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_recorded(&self, results: usize) {
        self.recorded.fetch_add(results as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn recording(&self) -> RecordingCounts {
        RecordingCounts {
            handed_in: self.handed_in.load(Ordering::Relaxed),
            recorded: self.recorded.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
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
