//! The pages of webhooks.

// Many.
pub(super) mod bulk;
pub(super) mod list;

// One is looked at.
mod figures;

pub(super) mod diagnosis;
pub(super) mod overview;
pub(super) mod replay;

// One is made and changed, tried, taken away.
mod form;

pub(super) mod delete;
pub(super) mod edit;
pub(super) mod secret;
pub(super) mod test_event;
pub(super) mod url;
