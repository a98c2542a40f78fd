use std::time::Duration;

use tokio::time::Instant;

/// What is counted together. A burst counts as long as one of these lasts, and no longer than two.
const SPAN: Duration = Duration::from_millis(250);

/// A span that has just begun is taken to last as long as this already.
const LEAST: Duration = Duration::from_millis(25);

/// How often something happened lately.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Speed {
    span: Option<Span>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    began: Instant,
    count: usize,
    /// How often per second it happened in the span before.
    before: usize,
}

impl Speed {
    /// It happened now.
    pub(super) fn count(&mut self) {
        self.count_at(Instant::now());
    }

    /// How often it happens, by the better one of the last two spans.
    pub(super) fn per_second(&self) -> usize {
        self.per_second_at(Instant::now())
    }

    fn count_at(&mut self, now: Instant) {
        let mut span = self.at(now);
        span.count += 1;
        self.span = Some(span);
    }

    fn per_second_at(&self, now: Instant) -> usize {
        let span = self.at(now);
        let age = now.duration_since(span.began).max(LEAST);
        per_second(span.count, age).max(span.before)
    }

    /// The span that is running at a time.
    fn at(&self, now: Instant) -> Span {
        let fresh = |before| Span {
            began: now,
            count: 0,
            before,
        };
        match self.span {
            None => fresh(0),
            Some(span) => match now.duration_since(span.began) {
                age if age < SPAN => span,
                age if age < 2 * SPAN => fresh(per_second(span.count, SPAN)),
                _ => fresh(0),
            },
        }
    }
}

/// How often per second something happens that happened so often in a span.
fn per_second(count: usize, span: Duration) -> usize {
    count * 1_000 / usize::try_from(span.as_millis()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_lately_counts_and_what_is_older_does_not() {
        let (began, mut speed) = (Instant::now(), Speed::default());
        let none = speed.per_second_at(began);
        for _ in 0..100 {
            speed.count_at(began);
        }

        let after = |spans| speed.per_second_at(began + SPAN * spans / 2);

        assert_eq!(none, 0);
        assert_eq!((after(1), after(3), after(5)), (800, 400, 0));
    }

    #[test]
    fn a_span_that_begins_keeps_what_the_last_one_had() {
        let (began, mut speed) = (Instant::now(), Speed::default());
        for _ in 0..10 {
            speed.count_at(began);
        }

        speed.count_at(began + SPAN);

        assert_eq!(speed.per_second_at(began + SPAN), 40);
        assert_eq!(speed.per_second_at(began + SPAN * 2), 4);
    }
}
