//! Jobs: many deliveries made due, step by step.

use std::num::NonZeroU16;
use std::time::Duration;

use crate::names::names;

names! {
    /// The kind of a job.
    JobKind, "kind of job" {
        /// Retries ended deliveries.
        Retry = "retry",
        /// Creates deliveries for events missed by a webhook.
        Replay = "replay",
    }
}

names! {
    /// The status of a job.
    JobStatus, "job status" {
        /// More steps follow.
        Running = "running",
        /// All deliveries of the job were made due.
        Finished = "finished",
        /// An admin stopped the job. Deliveries that were made due until then stay due.
        Cancelled = "cancelled",
    }
}

/// The rate of a job: 1 to 5,000 deliveries made due per second, few enough that live deliveries
/// hardly notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobRate(NonZeroU16);

impl JobRate {
    /// The greatest rate: 5,000 per second. Beyond this number the limit would have no effect.
    pub const MAX: u16 = 5_000;

    /// The steps of a fast job per second. Shorter steps would cost more statements, longer
    /// ones would make deliveries due in bursts.
    const STEPS_PER_SECOND: u16 = 4;

    /// Checks a number of deliveries per second.
    pub fn new(per_second: u64) -> Result<Self, String> {
        let checked = u16::try_from(per_second)
            .ok()
            .filter(|rate| *rate <= Self::MAX);
        checked
            .and_then(NonZeroU16::new)
            .map(Self)
            .ok_or_else(|| format!("must be a number from 1 to {}", Self::MAX))
    }

    /// Deliveries per second.
    pub fn get(self) -> u16 {
        self.0.get()
    }

    /// The number of deliveries made due by one step.
    pub fn step(self) -> u16 {
        self.get().div_ceil(Self::STEPS_PER_SECOND)
    }

    /// The pause between a step that made `count` deliveries due and the next step.
    pub fn pause_after(self, count: usize) -> Duration {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Duration::from_secs(1).saturating_mul(count) / u32::from(self.get())
    }
}

impl Default for JobRate {
    /// 100 per second: 50,000 deliveries in about eight minutes.
    fn default() -> Self {
        Self(NonZeroU16::MIN.saturating_add(99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_their_pauses_make_the_rate() {
        for (rate, step, millis) in [(1, 1, 1_000), (100, 25, 250), (5_000, 1_250, 250)] {
            let rate = JobRate::new(rate).expect("a rate");

            assert_eq!(rate.step(), step);
            let pause = rate.pause_after(usize::from(step));
            assert_eq!(pause.as_millis(), millis);
        }
        assert_eq!(JobRate::default().get(), 100);
        assert!(JobRate::new(0).is_err() && JobRate::new(5_001).is_err());
    }
}
