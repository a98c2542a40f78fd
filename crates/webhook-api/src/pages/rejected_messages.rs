//! Rejected messages: what could not be an event, put right or thrown away.

pub(super) mod detail;
pub(super) mod list;

// Many at once.
pub(super) mod all;

// What a message says, and why it was rejected.
mod body;
mod reason;

/// Where they are listed.
const LIST: &str = "/admin/rejected-messages";
