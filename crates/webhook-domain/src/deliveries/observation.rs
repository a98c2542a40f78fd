//! An attempt that ended, as its webhook sees it.

use chrono::{DateTime, Utc};

use crate::Outcome;

/// An attempt that ended.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    /// How it ended. [`Outcome::Throttled`] only when it cost no attempt: a 429 that cost one is
    /// [`Outcome::Overloaded`] here.
    pub outcome: Outcome,
    /// Why it was made.
    pub occasion: Occasion,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
}

/// Why an attempt was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Its time had come.
    Due,
    /// To probe an open circuit.
    Probe,
    /// An admin sent a test event, which waits for no circuit and no hold.
    Test,
}

impl Observation {
    /// Whether it says more about its webhook than that all is well, or as it was.
    pub fn is_remarkable(&self) -> bool {
        match self.outcome {
            Outcome::Accepted => false,
            Outcome::Throttled { .. } => self.outcome.hold().is_some(),
            Outcome::Gone | Outcome::Overloaded { .. } | Outcome::Failed { .. } => true,
        }
    }
}
