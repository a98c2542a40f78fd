//! The pages of webhooks.

pub(super) mod list;

// One webhook: made and changed, tried, taken away.
pub(super) mod delete;
pub(super) mod edit;
mod form;
pub(super) mod secret;
pub(super) mod test_event;
pub(super) mod url;
