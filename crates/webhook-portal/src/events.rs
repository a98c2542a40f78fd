//! The pages of events: the list, and an event's outcomes.

pub(super) mod detail;
pub(super) mod list;
