//! Events: which were taken in, and what became of each.

pub(super) mod detail;
pub(super) mod list;
