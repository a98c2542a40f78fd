//! Statements of the dispatcher across tables, each in a `.sql` file.

// The way of an event, in order.
pub mod claims;
pub mod destinations;
pub mod intake;
pub(crate) mod leased;
pub mod ordering;
pub(crate) mod recording;

// Work beside the way of an event.
pub(crate) mod jobs;
pub mod retention;
pub mod totals;
