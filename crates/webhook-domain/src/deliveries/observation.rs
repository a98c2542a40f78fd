//! An observation: an ended attempt as the circuit and the hold of its webhook see the attempt.

use chrono::{DateTime, Utc};

use std::time::Duration;

use crate::{AnswerMeaning, Outcome, RateAdvice};

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
    /// The advice of the receiver on the rate of requests.
    pub rate: RateAdvice,
    /// The receiver's own word for the outcome, the reason of a webhook that is set Inactive.
    /// `None`: the receiver used no known word.
    pub meaning: Option<AnswerMeaning>,
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
    /// How long the receiver asked to get no request of its webhook at all: the longer of the
    /// outcome's time and the time of the rate headers.
    pub fn hold(&self) -> Option<Duration> {
        self.outcome.hold().max(self.rate.hold)
    }

    /// Whether the attempt can change the circuit or the hold of a webhook that has neither. Without a
    /// time for which the receiver wants no request, an accepted attempt and a 429 cannot, nor can a
    /// test.
    pub fn changes_circuit_or_hold(&self) -> bool {
        match self.outcome {
            Outcome::Accepted | Outcome::Throttled { .. } => self.hold().is_some(),
            Outcome::Gone => true,
            Outcome::Refused
            | Outcome::Forbidden
            | Outcome::Overloaded { .. }
            | Outcome::Failed { .. } => self.occasion != Occasion::Test || self.hold().is_some(),
        }
    }

    /// The reason of a webhook that this attempt sets Inactive because of [`Outcome::Gone`], in words.
    /// Only a 410 has no word of the receiver.
    pub fn gone_reason(&self) -> String {
        match self.meaning {
            Some(meaning) => format!("the receiver answered {meaning}"),
            None => "the receiver answered 410 Gone".to_owned(),
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
    use crate::{Format, explain_answer};
    use rstest::rstest;

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
            rate: RateAdvice::default(),
            meaning: None,
        };

        assert_eq!(observation.changes_circuit_or_hold(), changes);
    }

    #[test]
    fn a_webhook_is_gone_because_of_the_receivers_word_or_a_410() {
        let reason = |meaning| {
            let gone = Observation {
                outcome: Outcome::Gone,
                occasion: Occasion::Due,
                ended_at: DateTime::UNIX_EPOCH,
                rate: RateAdvice::default(),
                meaning,
            };
            gone.gone_reason()
        };
        let removed = explain_answer(Format::Slack, 404, b"no_service");

        assert!(
            reason(removed).starts_with("the receiver answered `no_service`: this webhook was")
        );
        assert_eq!(reason(None), "the receiver answered 410 Gone");
    }

    #[rstest]
    #[case(Outcome::Accepted, Occasion::Due, false)]
    #[case(Outcome::Refused, Occasion::Due, true)]
    #[case(Outcome::Forbidden, Occasion::Due, true)]
    #[case(Outcome::Refused, Occasion::Test, false)]
    #[case(Outcome::Forbidden, Occasion::Test, false)]
    fn rate_headers_that_ask_to_wait_make_any_attempt_remarkable(
        #[case] outcome: Outcome,
        #[case] occasion: Occasion,
        #[case] changes: bool,
    ) {
        let wait = Some(Duration::from_millis(500));
        let with_hold = |hold| Observation {
            outcome,
            occasion,
            ended_at: DateTime::UNIX_EPOCH,
            rate: RateAdvice {
                hold,
                global: false,
            },
            meaning: None,
        };

        assert_eq!(with_hold(None).changes_circuit_or_hold(), changes);
        assert!(with_hold(wait).changes_circuit_or_hold());
        assert_eq!(with_hold(wait).hold(), wait);
    }
}
