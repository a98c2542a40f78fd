//! Events: what happens on the platform, and which events a webhook wants.

pub(crate) mod environment;
pub(crate) mod event_type;

// An event from the bytes of its publisher.
pub(crate) mod envelope;
pub(crate) mod event;
pub(crate) mod not_an_object;
mod timestamp;

// What a webhook selects and orders events by.
pub(crate) mod event_pattern;
pub(crate) mod event_selection;
pub(crate) mod ordering_key;
