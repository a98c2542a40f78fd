//! Repeated warnings and errors: written once, then once a minute with a count.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use log::Level;

/// Interval for counting the lines of a kind. Lines beyond the allowance of an interval are hidden, and
/// counted in the first line of the next interval.
const INTERVAL: Duration = Duration::from_secs(60);

/// Most kinds of lines in memory. Beyond, the older half is forgotten: a flood of different texts must
/// not fill the memory.
const MAX_KINDS: usize = 256;

/// Warnings and errors written lately, by [kind](kind_of).
#[derive(Default)]
pub(super) struct Repeats {
    kinds: HashMap<String, Counts>,
}

/// The lines of a kind in the current interval.
struct Counts {
    /// Start of the interval.
    since: Instant,
    written: usize,
    hidden: usize,
}

/// The fate of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The line is written.
    Write,
    /// The line is written, with the number of hidden lines of the same kind before.
    WriteAfterHidden(usize),
    /// The line is only counted.
    Hide,
}

impl Repeats {
    /// Decides about a line; `allowance` lines of the kind are written in an [`INTERVAL`]. Lines below
    /// a warning are always written.
    pub(super) fn judge(
        &mut self,
        level: Level,
        kind: &str,
        allowance: usize,
        now: Instant,
    ) -> Verdict {
        if level > Level::Warn {
            return Verdict::Write;
        }
        if let Some(counts) = self.kinds.get_mut(kind) {
            if now.duration_since(counts.since) < INTERVAL {
                if counts.written < allowance {
                    counts.written += 1;
                    return Verdict::Write;
                }
                counts.hidden += 1;
                return Verdict::Hide;
            }
            (counts.since, counts.written) = (now, 1);
            return match std::mem::take(&mut counts.hidden) {
                0 => Verdict::Write,
                hidden => Verdict::WriteAfterHidden(hidden),
            };
        }
        if self.kinds.len() >= MAX_KINDS {
            self.forget_half();
        }
        let counts = Counts {
            since: now,
            written: 1,
            hidden: 0,
        };
        self.kinds.insert(kind.to_owned(), counts);
        Verdict::Write
    }

    fn forget_half(&mut self) {
        let mut times: Vec<Instant> = self.kinds.values().map(|counts| counts.since).collect();
        times.sort_unstable();
        let middle = times[times.len() / 2];
        self.kinds.retain(|_, counts| counts.since > middle);
    }
}

/// The kind of a line: the target, the subject (a webhook's id, or empty) and the text with every word
/// that contains a digit (counts, ids, ports, times) replaced by `#`.
pub(super) fn kind_of(target: &str, message: &str, subject: &str) -> String {
    let separates = |c: char| !(c.is_alphanumeric() || c == '-');
    let mut kind = format!("{target} {subject} ");
    for word in message.split_inclusive(separates) {
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            kind.push('#');
        } else {
            kind.push_str(word);
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "webhook_dispatcher::intake";

    #[test]
    fn the_same_trouble_is_told_once_and_then_by_the_minute_with_a_count() {
        let mut repeats = Repeats::default();
        let began = Instant::now();
        let mut tell = |seconds, message: &str| {
            let kind = kind_of(TARGET, message, "");
            repeats.judge(Level::Warn, &kind, 1, began + Duration::from_secs(seconds))
        };

        assert_eq!(tell(0, "cannot connect to 127.0.0.1:5432"), Verdict::Write);
        assert_eq!(tell(1, "cannot connect to 127.0.0.1:5433"), Verdict::Hide);
        assert_eq!(tell(1, "cannot record attempts"), Verdict::Write);
        assert_eq!(tell(59, "cannot connect to 127.0.0.1:5432"), Verdict::Hide);
        assert_eq!(
            tell(60, "cannot connect to 127.0.0.1:5432"),
            Verdict::WriteAfterHidden(2)
        );
        assert_eq!(tell(130, "cannot connect to 10.0.0.1:1"), Verdict::Write);
    }

    #[test]
    fn trouble_of_two_webhooks_is_of_two_kinds() {
        let [one, other] = ["a1", "b2"].map(|id| kind_of(TARGET, &format!("{id} is gone"), id));

        assert_ne!(one, other);
    }

    #[test]
    fn some_lines_of_a_kind_are_written_where_each_is_about_something_else() {
        let mut repeats = Repeats::default();
        let now = Instant::now();

        let told = [(); 4].map(|()| repeats.judge(Level::Error, "a request failed", 3, now));

        let line = Verdict::Write;
        assert_eq!(told, [line, Verdict::Write, Verdict::Write, Verdict::Hide]);
    }

    #[test]
    fn what_is_no_trouble_is_always_told() {
        let mut repeats = Repeats::default();

        for _ in 0..3 {
            let verdict = repeats.judge(Level::Info, "delivered", 1, Instant::now());
            assert_eq!(verdict, Verdict::Write);
        }
    }

    #[test]
    fn a_flood_of_different_texts_is_told_and_does_not_fill_the_memory() {
        let mut repeats = Repeats::default();
        let began = Instant::now();

        for number in 0..10_000_u32 {
            let message =
                number.to_string().replace(|_| true, "x") + &"y".repeat(number as usize % 777);
            let now = began + Duration::from_millis(number.into());
            repeats.judge(Level::Error, &message, 1, now);
        }

        assert!(repeats.kinds.len() <= MAX_KINDS);
    }
}
