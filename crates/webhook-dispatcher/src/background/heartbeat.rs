//! The heartbeat: signs of life in Postgres, by which the pages tell that no dispatcher runs, or that results
//! are not recorded.

use std::time::Duration;

use chrono::{DateTime, Utc};
use webhook_store::{StoreError, acquire, dispatchers};

use crate::readiness::RecordingCounts;
use crate::worker::Worker;

/// The time between two signs of life. The domain calls a dispatcher silent after three of them.
const INTERVAL: Duration = Duration::from_secs(5);

/// The time without a sign of life after which a dispatcher counts as gone.
pub(super) const ALIVE_FOR: Duration =
    Duration::from_secs(webhook_domain::ALIVE_FOR.num_seconds().unsigned_abs());

/// Shows signs of life until the worker is asked to stop.
pub(crate) async fn run_heartbeat(worker: &Worker) {
    let mut recording = Recording::begun(Utc::now());
    loop {
        let since = recording.look(worker.readiness.recording(), Utc::now());
        match show_life(worker, since).await {
            Ok(counts_for_all) => worker.readiness.set_counts_for_all(counts_for_all),
            Err(error) => {
                // Another dispatcher may count by now.
                worker.readiness.set_counts_for_all(false);
                log::warn!("cannot show a sign of life: {error}");
            }
        }
        if !worker.sleep_or_stop(INTERVAL).await {
            return;
        }
    }
}

async fn show_life(
    worker: &Worker,
    not_recording_since: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    dispatchers::sign(&mut connection, worker.id, not_recording_since, ALIVE_FOR).await
}

/// Whether the recorder gets on, judged by its counts at two looks.
struct Recording {
    counts: RecordingCounts,
    looked_at: DateTime<Utc>,
    not_recording_since: Option<DateTime<Utc>>,
}

impl Recording {
    fn begun(now: DateTime<Utc>) -> Self {
        Self {
            counts: RecordingCounts::default(),
            looked_at: now,
            not_recording_since: None,
        }
    }

    /// Since when nothing is recorded though there are results. `None`: the recorder gets on.
    fn look(&mut self, counts: RecordingCounts, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let before = std::mem::replace(&mut self.counts, counts);
        let looked_at = std::mem::replace(&mut self.looked_at, now);
        // A result that was handed in before the look before is older than an interval.
        let waits = before.handed_in > counts.recorded + counts.lost;
        if counts.recorded > before.recorded {
            self.not_recording_since = None;
        } else if waits || counts.lost > before.lost {
            self.not_recording_since.get_or_insert(looked_at);
        }
        // With no result at all nothing is known anew: a trouble lasts until a result is recorded.
        self.not_recording_since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn counts(handed_in: u64, recorded: u64, lost: u64) -> RecordingCounts {
        RecordingCounts {
            handed_in,
            recorded,
            lost,
        }
    }

    /// Looks every 5 seconds from second 5 on, and tells since which second nothing is recorded.
    fn looks(seen: &[RecordingCounts]) -> Vec<Option<i64>> {
        let at = |second: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let mut recording = Recording::begun(at(0));
        let times = (1..).map(|look| at(look * 5));
        let looks = seen.iter().zip(times).map(|(counts, now)| {
            let since = recording.look(*counts, now);
            since.map(|since| since.timestamp())
        });
        looks.collect()
    }

    #[test]
    fn a_result_that_waits_for_a_whole_interval_is_trouble_until_one_is_recorded() {
        let seen = [(1, 0), (9, 0), (9, 0), (9, 9), (9, 9)];
        let seen = seen.map(|(handed_in, recorded)| counts(handed_in, recorded, 0));

        assert_eq!(looks(&seen), [None, Some(5), Some(5), None, None]);
    }

    #[test]
    fn results_that_are_all_lost_are_trouble_until_one_is_recorded() {
        let seen = [
            counts(3, 3, 0),
            counts(4, 3, 1),
            counts(4, 3, 1),
            counts(6, 4, 2),
        ];

        assert_eq!(looks(&seen), [None, Some(5), Some(5), None]);
    }

    #[test]
    fn a_dispatcher_without_events_is_well() {
        assert_eq!(looks(&[counts(0, 0, 0); 3]), [None; 3]);
    }

    #[test]
    fn lost_results_are_waited_for_no_more() {
        let seen = [counts(4, 3, 1), counts(4, 3, 1)];

        assert_eq!(looks(&seen), [None, None]);
    }
}
