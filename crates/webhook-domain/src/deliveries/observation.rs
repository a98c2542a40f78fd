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
    pub fn changes_circuit_or_hold(&self) -> bool {
        match self.outcome {
            Outcome::Accepted => false,
            Outcome::Throttled { .. } => self.outcome.hold().is_some(),
            Outcome::Gone | Outcome::Overloaded { .. } | Outcome::Failed { .. } => true,
        }
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
