//! The statements of the dispatcher that reach across tables, each in a `.sql` file beside its Rust.

// The way of an event, in its order.
pub mod claims;
pub mod destinations;
pub mod intake;
pub(crate) mod leased;
pub mod ordering;
pub(crate) mod recording;

// Beside it.
pub(crate) mod jobs;
pub mod retention;
