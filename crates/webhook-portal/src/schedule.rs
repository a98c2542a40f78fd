//! The attempts of a retry policy, drawn as marks on a line of time.

use webhook_domain::RetryPolicy;

use super::duration_text::in_words;
use webhook_admin::retry_policies::millis;

/// The position of the first attempt, in percent of the width. The first attempt is made at time zero,
/// which has no place on a logarithmic scale.
const FIRST_ATTEMPT: f64 = 2.0;
/// The positions of the first and the last retry, in percent of the width.
const FIRST_RETRY: f64 = 14.0;
const LAST_RETRY: f64 = 97.0;

/// The smallest distance between two labels, in percent of the width: readable on a phone.
const LABEL_APART: f64 = 13.0;

/// The times that may be labelled, in milliseconds, each with its label.
const LABELS: [(u64, &str); 11] = [
    (1, "1 ms"),
    (10, "10 ms"),
    (100, "0.1 s"),
    (1_000, "1 s"),
    (10_000, "10 s"),
    (60_000, "1 min"),
    (600_000, "10 min"),
    (3_600_000, "1 h"),
    (28_800_000, "8 h"),
    (86_400_000, "1 d"),
    (604_800_000, "7 d"),
];

/// The attempts of a delivery while every attempt fails, without jitter.
pub(crate) struct Schedule {
    /// The number of attempts and the whole time: `12 attempts over 2 days 15 hours`.
    pub(crate) total: String,
    pub(crate) attempts: Vec<Mark>,
    /// The labels below the line.
    pub(crate) labels: Vec<Mark>,
}

/// A text at a position of the line.
pub(crate) struct Mark {
    /// The position, in percent of the width: `14.00%`.
    pub(crate) x: String,
    pub(crate) text: String,
}

impl Schedule {
    /// The schedule of a policy.
    pub(crate) fn of(policy: &RetryPolicy) -> Self {
        let times = policy.schedule().map(millis).scan(0, |passed, delay| {
            *passed += delay;
            Some((*passed, delay))
        });
        let times: Vec<(u64, u64)> = times.collect();
        let whole = times.last().map_or(0, |(passed, _)| *passed);
        let line = Line {
            first: times.first().map_or(0, |(passed, _)| *passed),
            last: whole,
        };
        let retries = times.iter().enumerate().map(|(index, (passed, delay))| {
            let since = match index {
                0 => String::new(),
                _ => format!(", {} from the start", in_words(*passed)),
            };
            let text = format!("after {}{since}", in_words(*delay));
            Mark::at(line.place(*passed), text)
        });
        let first = Mark::at(FIRST_ATTEMPT, "at once");
        Self {
            total: match times.len() {
                0 => "1 attempt, no retries".to_owned(),
                retries => format!("{} attempts over {}", retries + 1, in_words(whole)),
            },
            labels: line.labels(),
            attempts: std::iter::once(first).chain(retries).collect(),
        }
    }
}

impl Mark {
    fn at(x: f64, text: impl Into<String>) -> Self {
        Self {
            x: format!("{x:.2}%"),
            text: text.into(),
        }
    }
}

/// A logarithmic scale of milliseconds from the first retry to the last: a delay that is four times as
/// long is always the same distance further.
struct Line {
    first: u64,
    last: u64,
}

impl Line {
    fn place(&self, millis: u64) -> f64 {
        let steps = |to: u64| (logarithm(to) - logarithm(self.first)).max(0.0);
        let all = steps(self.last);
        if all <= 0.0 {
            return LAST_RETRY;
        }
        FIRST_RETRY + (LAST_RETRY - FIRST_RETRY) * steps(millis) / all
    }

    /// The labels within the scale that are far enough from the label before.
    fn labels(&self) -> Vec<Mark> {
        let mut taken = f64::NEG_INFINITY;
        let within = LABELS
            .iter()
            .filter(|(millis, _)| (self.first..=self.last).contains(millis) && *millis > 0);
        let apart = within.filter_map(|(millis, text)| {
            let place = self.place(*millis);
            let fits = place - taken >= LABEL_APART;
            fits.then(|| {
                taken = place;
                Mark::at(place, *text)
            })
        });
        apart.collect()
    }
}

fn logarithm(millis: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a place needs no 53 bits")]
    let millis = millis.max(1) as f64;
    millis.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn texts(marks: &[Mark]) -> Vec<&str> {
        marks.iter().map(|mark| mark.text.as_str()).collect()
    }

    #[test]
    fn every_attempt_of_the_default_is_listed_and_has_its_place() {
        let drawn = Schedule::of(&RetryPolicy::default());

        assert_eq!(drawn.total, "12 attempts over 2 days 15 hours");
        assert_eq!(
            texts(&drawn.attempts)[..3],
            [
                "at once",
                "after 10 seconds",
                "after 40 seconds, 50 seconds from the start"
            ]
        );
        let ends = [0, 1, 11].map(|index: usize| drawn.attempts[index].x.as_str());
        assert_eq!(ends, ["2.00%", "14.00%", "97.00%"]);
        assert_eq!(
            texts(&drawn.labels),
            ["10 s", "1 min", "10 min", "1 h", "8 h"]
        );
    }

    #[test]
    fn a_policy_with_one_retry_or_none_can_be_drawn() {
        let drawn = |max_attempts| {
            Schedule::of(&RetryPolicy {
                max_attempts,
                ..RetryPolicy::default()
            })
        };

        assert_eq!(drawn(1).total, "1 attempt, no retries");
        assert_eq!(texts(&drawn(1).attempts), ["at once"]);
        assert_eq!(drawn(2).total, "2 attempts over 10 seconds");
        assert_eq!(drawn(2).attempts[1].x, "97.00%");
    }

    #[test]
    fn equal_delays_are_drawn_too() {
        let drawn = Schedule::of(&RetryPolicy {
            max_attempts: 50,
            initial_interval: Duration::from_millis(1),
            multiplier: 1.0,
            ..RetryPolicy::default()
        });

        assert_eq!(drawn.attempts.len(), 50);
        assert_eq!(drawn.total, "50 attempts over 49 milliseconds");
    }
}
