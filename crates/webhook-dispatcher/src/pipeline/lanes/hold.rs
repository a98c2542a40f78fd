//! The hold of a lane, from the response with `Retry-After` to the end that Postgres knows.

use std::time::{Duration, Instant};

/// A lane's hold: the receiver asked for no requests for a while.
///
/// The lane holds at once after the response, before the recorder has written the hold. From then on
/// Postgres knows better: holds asked of other workers are there too, and holds ended by an admin no
/// more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    until: Instant,
    /// Since when Postgres knows the hold; `None`: not yet.
    stored_since: Option<Instant>,
}

impl Hold {
    /// The hold after a response asking for `time`. A longer hold from before stays.
    pub(super) fn asked(before: Option<Self>, time: Duration) -> Self {
        let until = Instant::now() + time;
        Self {
            until: before.map_or(until, |before| before.until.max(until)),
            stored_since: None,
        }
    }

    /// The hold after a read of Postgres found a hold for `time` from now on. A longer hold just asked
    /// for stays, as Postgres does not know of the response yet.
    pub(super) fn known(before: Option<Self>, time: Duration) -> Self {
        let now = Instant::now();
        let known = Self {
            until: now + time,
            stored_since: Some(now),
        };
        let newer =
            before.filter(|before| before.stored_since.is_none() && before.until > known.until);
        newer.unwrap_or(known)
    }

    /// Marks the hold as written to Postgres, or as given up.
    pub(super) fn mark_stored(&mut self) {
        self.stored_since.get_or_insert_with(Instant::now);
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Whether a read of Postgres at `time` would have found the hold.
    pub(super) fn was_stored_at(&self, time: Instant) -> bool {
        self.stored_since.is_some_and(|since| since <= time)
    }
}
