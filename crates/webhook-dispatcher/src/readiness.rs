//! Readiness: whether the worker could take an event in, deliver and record now.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use webhook_service::operations::{LookAtParts, postgres_part};
use webhook_store::{Pool, ping};

/// The state of the intake and the recorder, each of which sets its own values.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    /// A consumer is registered at the events queue. The active consumer may be another worker's.
    consuming: AtomicBool,
    /// Consumed events cannot be committed.
    intake_is_stuck: AtomicBool,
    /// Finished attempts cannot be recorded.
    recorder_is_stuck: AtomicBool,
    /// Results handed in to the recorder.
    handed_in: AtomicU64,
    /// Results that Postgres has recorded.
    recorded: AtomicU64,
    /// Results given up, as Postgres refuses them.
    lost: AtomicU64,
    /// This dispatcher counts for the metrics of all.
    counts_for_all: AtomicBool,
}

/// The parts of the readiness: Postgres takes writes, a consumer is registered, and neither the intake nor the
/// recorder is stuck.
pub(crate) fn parts(pool: Pool, readiness: Arc<Readiness>) -> LookAtParts {
    Arc::new(move || {
        let (pool, readiness) = (pool.clone(), readiness.clone());
        Box::pin(async move {
            let postgres = postgres_part(ping(&pool)).await;
            let word = |ready, not| if ready { "ok" } else { not };
            vec![
                postgres,
                ("rabbitmq", word(readiness.is_consuming(), "away")),
                ("intake", word(readiness.is_taking_in(), "stuck")),
                ("recorder", word(readiness.is_recording(), "stuck")),
            ]
        })
    })
}

/// How many results the recorder has had so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RecordingCounts {
    /// Handed in.
    pub(crate) handed_in: u64,
    /// Recorded by Postgres.
    pub(crate) recorded: u64,
    /// Given up.
    pub(crate) lost: u64,
}

impl Readiness {
    pub(crate) fn set_consuming(&self, consuming: bool) {
        self.consuming.store(consuming, Ordering::Relaxed);
    }

    pub(crate) fn set_intake_stuck(&self, stuck: bool) {
        self.intake_is_stuck.store(stuck, Ordering::Relaxed);
    }

    pub(crate) fn set_recorder_stuck(&self, stuck: bool) {
        self.recorder_is_stuck.store(stuck, Ordering::Relaxed);
    }

    pub(crate) fn count_handed_in(&self) {
        self.handed_in.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_recorded(&self, results: usize) {
        self.recorded.fetch_add(results as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn recording(&self) -> RecordingCounts {
        RecordingCounts {
            handed_in: self.handed_in.load(Ordering::Relaxed),
            recorded: self.recorded.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn set_counts_for_all(&self, counts: bool) {
        self.counts_for_all.store(counts, Ordering::Relaxed);
    }

    pub(crate) fn counts_for_all(&self) -> bool {
        self.counts_for_all.load(Ordering::Relaxed)
    }

    pub(crate) fn is_consuming(&self) -> bool {
        self.consuming.load(Ordering::Relaxed)
    }

    pub(crate) fn is_taking_in(&self) -> bool {
        !self.intake_is_stuck.load(Ordering::Relaxed)
    }

    pub(crate) fn is_recording(&self) -> bool {
        !self.recorder_is_stuck.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use webhook_store::{PoolPurpose, connect};

    type Change = fn(&Readiness);

    const START: Change = |_| ();
    const CONSUMES: Change = |readiness| readiness.set_consuming(true);
    const INTAKE_IS_STUCK: Change = |readiness| readiness.set_intake_stuck(true);
    const RECORDER_IS_STUCK: Change = |readiness| readiness.set_recorder_stuck(true);

    #[rstest]
    #[case::start(START, ["away", "away", "ok", "ok"])]
    #[case::consuming(CONSUMES, ["away", "ok", "ok", "ok"])]
    #[case::stuck_intake(INTAKE_IS_STUCK, ["away", "away", "stuck", "ok"])]
    #[case::stuck_recorder(RECORDER_IS_STUCK, ["away", "away", "ok", "stuck"])]
    #[tokio::test]
    async fn each_part_tells_its_own_fault(#[case] change: Change, #[case] words: [&str; 4]) {
        let nowhere = "postgres://nobody@127.0.0.1:1/nothing";
        let pool = connect(nowhere, 1, PoolPurpose::Events).await;
        let readiness = Arc::new(Readiness::default());

        change(&readiness);
        let told = parts(pool.expect("a pool"), readiness)().await;

        let names = ["postgres", "rabbitmq", "intake", "recorder"];
        assert_eq!(told, names.into_iter().zip(words).collect::<Vec<_>>());
    }

    #[test]
    fn results_are_counted_by_their_ends() {
        let readiness = Readiness::default();

        (0..3).for_each(|_| readiness.count_handed_in());
        readiness.count_recorded(2);
        readiness.count_lost();

        let counts = RecordingCounts {
            handed_in: 3,
            recorded: 2,
            lost: 1,
        };
        assert_eq!(readiness.recording(), counts);
    }

    #[test]
    fn a_dispatcher_counts_for_all_when_told_to() {
        let readiness = Readiness::default();

        let told = [true, false].map(|counts| {
            readiness.set_counts_for_all(counts);
            readiness.counts_for_all()
        });

        assert_eq!(told, [true, false]);
    }
}
