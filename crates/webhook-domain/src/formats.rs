//! Formats: how an event is written for a webhook's receiver.

pub(crate) mod format;
pub(crate) mod host;

// An event for people: a notice, with a sentence and facts from the fields of `data`.
mod fields;
mod ids;
pub(crate) mod json_view;
pub(crate) mod notice;
mod plain_text;
mod sentence;

// The built-in formats.
mod body;
pub(crate) mod cloudevents;
pub(crate) mod discord;
pub(crate) mod slack;
pub(crate) mod teams;

// A body that an admin describes.
pub(crate) mod nearest;
pub(crate) mod template;

// The body of a request in any format.
pub(crate) mod body_format;

// The use of a service's limits.
pub(crate) mod limits;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod test_events;
