//! Trouble that goes on: told once, then by the minute with a count.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use log::Level;

/// How long the same trouble is not told again.
const QUIET: Duration = Duration::from_secs(60);

/// How many kinds of trouble are known at once; the ones told longest ago are forgotten first, so
/// that no flood of different texts fills the memory.
const MAX_KINDS: usize = 256;

/// Warnings and errors that were told lately, by their [kind](kind_of).
#[derive(Default)]
pub(super) struct Repeats {
    kinds: HashMap<String, Told>,
}

struct Told {
    /// When the minute began.
    at: Instant,
    written: usize,
    hidden: usize,
}

/// What to do with a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Write it.
    Line,
    /// Write it, with the number of lines like it that were hidden.
    LineAfter(usize),
    /// Count it only.
    Hidden,
}

impl Repeats {
    /// Decides about a line, of which `allowance` are written by the minute. Lines that are neither
    /// warnings nor errors are always written.
    pub(super) fn tell(
        &mut self,
        level: Level,
        kind: &str,
        allowance: usize,
        now: Instant,
    ) -> Telling {
        if level > Level::Warn {
            return Telling::Line;
        }
        if let Some(told) = self.kinds.get_mut(kind) {
            if now.duration_since(told.at) < QUIET {
                if told.written < allowance {
                    told.written += 1;
                    return Telling::Line;
                }
                told.hidden += 1;
                return Telling::Hidden;
            }
            (told.at, told.written) = (now, 1);
            return match std::mem::take(&mut told.hidden) {
                0 => Telling::Line,
                hidden => Telling::LineAfter(hidden),
            };
        }
        if self.kinds.len() >= MAX_KINDS {
            self.forget_half();
        }
        let told = Told {
            at: now,
            written: 1,
            hidden: 0,
        };
        self.kinds.insert(kind.to_owned(), told);
        Telling::Line
    }

    fn forget_half(&mut self) {
        let mut times: Vec<Instant> = self.kinds.values().map(|told| told.at).collect();
        times.sort_unstable();
        let middle = times[times.len() / 2];
        self.kinds.retain(|_, told| told.at > middle);
    }
}

/// Of which kind a line is: its text without what differs from one time to the next (words with a
/// digit in them, such as counts, ids, ports and times), and what it is about.
pub(super) fn kind_of(target: &str, message: &str, about: &str) -> String {
    let separates = |c: char| !(c.is_alphanumeric() || c == '-');
    let mut kind = format!("{target} {about} ");
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
            repeats.tell(Level::Warn, &kind, 1, began + Duration::from_secs(seconds))
        };

        assert_eq!(tell(0, "cannot connect to 127.0.0.1:5432"), Telling::Line);
        assert_eq!(tell(1, "cannot connect to 127.0.0.1:5433"), Telling::Hidden);
        assert_eq!(tell(1, "cannot record attempts"), Telling::Line);
        assert_eq!(
            tell(59, "cannot connect to 127.0.0.1:5432"),
            Telling::Hidden
        );
        assert_eq!(
            tell(60, "cannot connect to 127.0.0.1:5432"),
            Telling::LineAfter(2)
        );
        assert_eq!(tell(130, "cannot connect to 10.0.0.1:1"), Telling::Line);
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

        let told = [(); 4].map(|()| repeats.tell(Level::Error, "a request failed", 3, now));

        let line = Telling::Line;
        assert_eq!(told, [line, Telling::Line, Telling::Line, Telling::Hidden]);
    }

    #[test]
    fn what_is_no_trouble_is_always_told() {
        let mut repeats = Repeats::default();

        for _ in 0..3 {
            let telling = repeats.tell(Level::Info, "delivered", 1, Instant::now());
            assert_eq!(telling, Telling::Line);
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
            repeats.tell(Level::Error, &message, 1, now);
        }

        assert!(repeats.kinds.len() <= MAX_KINDS);
    }
}
