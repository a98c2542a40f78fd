//! The pages of rejected messages: the list, a message's body, requeueing and discarding.

pub(super) mod detail;
pub(super) mod list;

// All matching messages.
pub(super) mod bulk;

// Parts of the pages.
mod body;
mod reason;

/// The address of the list.
const LIST: &str = "/admin/rejected-messages";
