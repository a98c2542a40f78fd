//! Jobs: many deliveries made due, step by step.

use std::num::NonZeroU16;
use std::time::Duration;

use crate::names::names;

names! {
    /// What a job does.
    JobKind, "kind of job" {
        /// Sends deliveries again.
        Retry = "retry",
        /// Sends events that a webhook missed.
        Replay = "replay",
    }
}

names! {
    /// Where a job stands.
    JobStatus, "job status" {
        /// It goes on step by step.
        Running = "running",
        /// It has done all there was to do.
        Finished = "finished",
        /// An admin stopped it. What it did until then stays done.
        Cancelled = "cancelled",
    }
}

/// How many deliveries a job makes due per second, 1 to 5,000: so few that live ones hardly notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobRate(NonZeroU16);

impl JobRate {
    /// Beyond this it would be no limit.
    pub const MAX: u16 = 5_000;

    /// How many steps a fast job takes per second.
    const STEPS_PER_SECOND: u16 = 4;

    /// Checks a number per second.
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

    /// How many a step makes due.
    pub fn step(self) -> u16 {
        self.get().div_ceil(Self::STEPS_PER_SECOND)
    }

    /// How long after a step that made `count` due the next one begins.
    pub fn pause_after(self, count: usize) -> Duration {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Duration::from_secs(1).saturating_mul(count) / u32::from(self.get())
    }
}

impl Default for JobRate {
    /// 100 a second: 50,000 in eight minutes.
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
