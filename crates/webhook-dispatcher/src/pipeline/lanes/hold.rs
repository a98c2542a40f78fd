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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_hold_asked_for_ends_by_itself_and_no_shorter_hold_ends_it_earlier() {
        let asked = Hold::asked(None, MINUTE);

        let again = Hold::asked(Some(asked), SECOND);
        let longer = Hold::asked(Some(asked), 2 * MINUTE);

        assert!(!asked.is_over());
        assert_eq!(again.until, asked.until);
        assert!(longer.until >= asked.until + MINUTE);
        assert!(Hold::asked(None, Duration::ZERO).is_over());
    }

    #[test]
    fn postgres_shortens_only_a_hold_that_postgres_knows() {
        let asked = Hold::asked(None, MINUTE);
        let mut stored = asked;
        stored.mark_stored();

        let just_asked = Hold::known(Some(asked), SECOND);
        let shortened = Hold::known(Some(stored), SECOND);

        assert_eq!(
            (just_asked.until, just_asked.stored_since),
            (asked.until, None)
        );
        assert!(shortened.until < asked.until && shortened.stored_since.is_some());
    }

    #[test]
    fn postgres_lengthens_any_hold() {
        let asked = Hold::asked(None, SECOND);

        let known = [None, Some(asked)].map(|before| Hold::known(before, MINUTE));

        let expected = asked.until + MINUTE - SECOND;
        assert!(
            known
                .iter()
                .all(|hold| hold.until >= expected && !hold.is_over())
        );
        assert!(known.iter().all(|hold| hold.stored_since.is_some()));
    }

    #[test]
    fn a_hold_is_stored_from_its_first_mark_on() {
        let first = Instant::now();
        let mut hold = Hold {
            stored_since: Some(first),
            ..Hold::asked(None, MINUTE)
        };

        hold.mark_stored();

        assert!(hold.was_stored_at(first) && hold.was_stored_at(first + SECOND));
        assert!(!hold.was_stored_at(first - SECOND));
        assert!(!Hold::asked(None, MINUTE).was_stored_at(first + MINUTE));
    }
}
