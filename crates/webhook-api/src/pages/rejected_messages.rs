//! Rejected messages: what could not be an event, put right or thrown away.

pub(super) mod detail;
pub(super) mod list;

// Many at once.
pub(super) mod all;

// What a body says.
mod body;

/// Where they are listed.
const LIST: &str = "/admin/rejected-messages";
