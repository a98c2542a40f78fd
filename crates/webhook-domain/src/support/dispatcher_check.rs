//! Whether dispatchers run and record results, judged by their signs of life.
//!
//! | signs of life | trouble |
//! | --- | --- |
//! | none younger than [`ALIVE_FOR`] | no dispatcher runs |
//! | a dispatcher alive says that it cannot record | results are not recorded |
//! | any other | none |

use chrono::{DateTime, TimeDelta, Utc};

/// How long a dispatcher counts as running after a sign of life: three of its 5 s intervals, so that a
/// slow Postgres is no false alarm.
pub const ALIVE_FOR: TimeDelta = TimeDelta::seconds(15);

/// The latest sign of life of a dispatcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignOfLife {
    /// When the dispatcher wrote it, by the clock of Postgres.
    pub seen_at: DateTime<Utc>,
    /// Since when finished attempts wait or are lost instead of being recorded. `None`: the dispatcher
    /// records.
    pub not_recording_since: Option<DateTime<Utc>>,
}

/// A trouble of all webhooks at once, which pages show at their top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DispatcherTrouble {
    /// No dispatcher runs.
    NoneRuns {
        /// The latest sign of life. `None`: none is known.
        last_seen: Option<DateTime<Utc>>,
    },
    /// A dispatcher sends, and cannot record the results.
    NotRecording {
        /// Since when.
        since: DateTime<Utc>,
    },
}

impl DispatcherTrouble {
    /// The trouble that signs of life show at `now`. `None`: all is well.
    pub fn of(signs: &[SignOfLife], now: DateTime<Utc>) -> Option<Self> {
        let alive = || signs.iter().filter(|sign| sign.seen_at > now - ALIVE_FOR);
        if alive().next().is_none() {
            let last_seen = signs.iter().map(|sign| sign.seen_at).max();
            return Some(Self::NoneRuns { last_seen });
        }
        let since = alive().filter_map(|sign| sign.not_recording_since).min()?;
        Some(Self::NotRecording { since })
    }

    /// The trouble in a sentence, without its time.
    pub fn message(self) -> &'static str {
        match self {
            Self::NoneRuns { .. } => {
                "no dispatcher is running: events wait in the queue, and nothing is delivered"
            }
            Self::NotRecording { .. } => {
                "results are not being recorded: statuses and figures are out of date, and events \
                 may be sent more than once"
            }
        }
    }

    /// Since when the trouble lasts. `None`: no dispatcher has ever run.
    pub fn since(self) -> Option<DateTime<Utc>> {
        match self {
            Self::NoneRuns { last_seen } => last_seen,
            Self::NotRecording { since } => Some(since),
        }
    }

    /// The advice for operators.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoneRuns { .. } => "start a dispatcher, or read the log of the one that ended",
            Self::NotRecording { .. } => {
                "read the dispatcher's log, and check that Postgres has disk space and takes writes"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn sign(age_s: i64, not_recording_since: Option<DateTime<Utc>>) -> SignOfLife {
        SignOfLife {
            seen_at: NOW - TimeDelta::seconds(age_s),
            not_recording_since,
        }
    }

    #[test]
    fn a_dispatcher_that_is_silent_for_15_seconds_does_not_run() {
        let trouble = |signs: &[SignOfLife]| DispatcherTrouble::of(signs, NOW);
        let silent = |last_seen| Some(DispatcherTrouble::NoneRuns { last_seen });

        assert_eq!(trouble(&[]), silent(None));
        assert_eq!(
            trouble(&[sign(20, None), sign(15, None)]),
            silent(Some(NOW - ALIVE_FOR))
        );
        assert_eq!(trouble(&[sign(20, None), sign(14, None)]), None);
    }

    #[test]
    fn one_running_dispatcher_that_cannot_record_is_trouble() {
        let since = Some(NOW - TimeDelta::seconds(60));

        assert_eq!(
            DispatcherTrouble::of(&[sign(1, None), sign(2, since)], NOW),
            Some(DispatcherTrouble::NotRecording {
                since: NOW - TimeDelta::seconds(60)
            })
        );
        assert_eq!(
            DispatcherTrouble::of(&[sign(1, None), sign(20, since)], NOW),
            None
        );
    }
}
