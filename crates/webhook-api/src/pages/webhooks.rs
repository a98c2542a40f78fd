//! The pages of webhooks.

// Many.
pub(super) mod bulk;
pub(super) mod list;

// One.
mod figures;

pub(super) mod diagnosis;
pub(super) mod overview;
pub(super) mod replay;
