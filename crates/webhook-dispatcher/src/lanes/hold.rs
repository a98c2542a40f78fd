use std::time::{Duration, Instant};

/// A lane's hold: its receiver asked for no requests for a while.
///
/// The lane that got the answer holds at once, before the recorder has written the hold. From then on
/// Postgres knows better: of holds that others were asked for, and of those that an admin ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    until: Instant,
    /// Since when Postgres knows; `None`: not yet.
    settled: Option<Instant>,
}

impl Hold {
    /// An answer has asked for it. A longer hold than that stays.
    pub(super) fn asked(before: Option<Self>, time: Duration) -> Self {
        let until = Instant::now() + time;
        Self {
            until: before.map_or(until, |before| before.until.max(until)),
            settled: None,
        }
    }

    /// Postgres has one for so long from now on. A longer one that was just asked for stays.
    pub(super) fn known(before: Option<Self>, time: Duration) -> Self {
        let now = Instant::now();
        let known = Self {
            until: now + time,
            settled: Some(now),
        };
        let newer = before.filter(|before| before.settled.is_none() && before.until > known.until);
        newer.unwrap_or(known)
    }

    /// Postgres has it by now, or will never have it.
    pub(super) fn settle(&mut self) {
        self.settled.get_or_insert_with(Instant::now);
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Whether Postgres would have had it at that time.
    pub(super) fn was_settled_at(&self, time: Instant) -> bool {
        self.settled.is_some_and(|settled| settled <= time)
    }
}
