//! The way of an event, step by step.
//!
//! ```text
//! intake ─► lanes ─► runner ─► courier ─► results ─► recorder
//! claims ─►            │          └ request, response
//!    ▲                 └ destinations, message_links
//!    └── backlog ◄── no room, retry, or the turn of an ordering key
//! ```

// Into the lanes: new events, and deliveries due in Postgres.
pub(crate) mod claims;
pub(crate) mod intake;

// Waiting: in memory, one lane per webhook, or in Postgres.
pub(crate) mod backlog;
pub(crate) mod lanes;

// An attempt.
pub(crate) mod runner;

pub(crate) mod courier;
pub(crate) mod destinations;
pub(crate) mod message_links;
pub(crate) mod meter;
pub(crate) mod request;
pub(crate) mod response;

// After an attempt.
pub(crate) mod results;

pub(crate) mod recorder;

#[cfg(test)]
mod sample;
