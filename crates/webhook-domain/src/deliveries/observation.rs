//! An observation: an ended attempt as the circuit and the hold of its webhook see the attempt.

use chrono::{DateTime, Utc};

use crate::Outcome;

/// An ended attempt.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    /// The outcome. [`Outcome::Throttled`] stands only for a 429 that cost no attempt; a 429 that
    /// cost an attempt is [`Outcome::Overloaded`] here.
    pub outcome: Outcome,
    /// The occasion of the attempt.
    pub occasion: Occasion,
    /// The end of the attempt.
    pub ended_at: DateTime<Utc>,
}

/// The occasion of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The delivery was due.
    Due,
    /// The attempt probes an open circuit.
    Probe,
    /// An admin sent a test event, which waits for neither circuit nor hold.
    Test,
}

impl Observation {
    /// Whether the attempt can change the circuit or the hold of a webhook that has neither: an
    /// accepted attempt and a 429 without `Retry-After` cannot.
    pub fn is_remarkable(&self) -> bool {
        match self.outcome {
            Outcome::Accepted => false,
            Outcome::Throttled { .. } => self.outcome.hold().is_some(),
            Outcome::Gone | Outcome::Overloaded { .. } | Outcome::Failed { .. } => true,
        }
    }
}
