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
    /// An admin sent a test event. A test waits for neither circuit nor hold, and counts for no health:
    /// a test can end a hold, hasten a probe, and tell of a 410.
    Test,
}

impl Observation {
    /// Whether the attempt can change the circuit or the hold of a webhook that has neither: an
    /// accepted attempt and a 429 without `Retry-After` cannot, nor can a test without `Retry-After`.
    pub fn changes_circuit_or_hold(&self) -> bool {
        match self.outcome {
            Outcome::Accepted => false,
            Outcome::Throttled { .. } => self.outcome.hold().is_some(),
            Outcome::Gone => true,
            Outcome::Overloaded { .. } | Outcome::Failed { .. } => {
                self.occasion != Occasion::Test || self.outcome.hold().is_some()
            }
        }
    }

    /// Whether the attempt can change the circuit or the hold of a webhook that has one.
    pub fn is_relevant(&self) -> bool {
        self.changes_circuit_or_hold() || self.occasion == Occasion::Test
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::time::Duration;

    #[rstest]
    #[case(204, None, false)]
    #[case(429, None, false)]
    #[case(429, Some(60), true)]
    #[case(410, None, true)]
    #[case(500, None, true)]
    #[case(503, None, true)]
    fn only_an_acceptance_and_a_429_without_a_time_are_unremarkable(
        #[case] status: u16,
        #[case] retry_after_s: Option<u64>,
        #[case] changes: bool,
    ) {
        let observation = Observation {
            outcome: Outcome::of_status(status, retry_after_s.map(Duration::from_secs)),
            occasion: Occasion::Due,
            ended_at: DateTime::UNIX_EPOCH,
        };

        assert_eq!(observation.changes_circuit_or_hold(), changes);
    }
}
