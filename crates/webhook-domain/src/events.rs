//! Events: happenings on the platform, and the selection of events by a webhook.

pub(crate) mod environment;
pub(crate) mod event_severity;
pub(crate) mod event_type;

// An event from the bytes of its publisher.
pub(crate) mod envelope;
pub(crate) mod event;
pub(crate) mod not_an_object;
mod timestamp;
pub(crate) mod trace_context;

// The selection and the order of events for a webhook.
pub(crate) mod event_pattern;
pub(crate) mod event_selection;
pub(crate) mod ordering_key;
