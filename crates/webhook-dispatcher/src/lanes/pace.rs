use webhook_domain::Outcome;

/// How many requests may run at once: half as many when the receiver wants less, one more when as
/// many as run at once were accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    max: usize,
    limit: usize,
    accepted: usize,
}

impl Pace {
    /// As many as `max`, which is 1 or more.
    pub(super) fn new(max: usize) -> Self {
        let accepted = 0;
        Self {
            max,
            limit: max,
            accepted,
        }
    }

    /// Sets what the webhook wants at most.
    pub(super) fn set_max(&mut self, max: usize) {
        if max != self.max {
            *self = Self::new(max);
        }
    }

    /// How many may run now.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether nothing slows it.
    pub(super) fn is_full(&self) -> bool {
        self.limit == self.max
    }

    /// Takes note of an answer.
    pub(super) fn observe(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Throttled { .. } | Outcome::Overloaded { .. } => {
                self.limit = (self.limit / 2).max(1);
                self.accepted = 0;
            }
            Outcome::Gone | Outcome::Failed { .. } => {}
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
