//! The pace: how many requests of a lane may run at once, by the responses of the receiver.

use webhook_domain::Outcome;

/// How many requests of a lane may run at once: half as many after a response asking for less, one more
/// after as many accepted requests as may run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    max: usize,
    limit: usize,
    accepted: usize,
}

impl Pace {
    /// Full pace: `max` requests at once, 1 or more.
    pub(super) fn new(max: usize) -> Self {
        let accepted = 0;
        Self {
            max,
            limit: max,
            accepted,
        }
    }

    /// Sets the webhook's limit. A changed limit starts at full pace.
    pub(super) fn set_max(&mut self, max: usize) {
        if max != self.max {
            *self = Self::new(max);
        }
    }

    /// How many requests may run now.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether the pace is full.
    pub(super) fn is_full(&self) -> bool {
        self.limit == self.max
    }

    /// Takes note of how an attempt ended.
    pub(super) fn observe(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Throttled { .. } | Outcome::Overloaded { .. } => {
                self.limit = (self.limit / 2).max(1);
                self.accepted = 0;
            }
            // A failure does not show how many requests the receiver can take.
            Outcome::Gone | Outcome::Refused | Outcome::Forbidden | Outcome::Failed { .. } => {}
        }
        if self.accepted >= self.limit {
            self.limit = self.max.min(self.limit + 1);
            self.accepted = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERLOADED: Outcome = Outcome::Overloaded { retry_after: None };

    #[test]
    fn an_overloaded_receiver_halves_it_and_accepted_requests_bring_it_back() {
        let mut pace = Pace::new(16);
        let mut limits = Vec::new();
        for _ in 0..5 {
            pace.observe(&OVERLOADED);
            limits.push(pace.limit());
        }

        let accepted = (1..).find(|_| {
            pace.observe(&Outcome::Accepted);
            pace.is_full()
        });

        assert_eq!(limits, [8, 4, 2, 1, 1]);
        assert_eq!(accepted, Some((1..16).sum()));
    }

    #[test]
    fn another_maximum_starts_anew() {
        let mut pace = Pace::new(16);
        pace.observe(&OVERLOADED);

        pace.set_max(16);
        let kept = pace.limit();
        pace.set_max(2);

        assert_eq!((kept, pace.limit()), (8, 2));
    }
}
