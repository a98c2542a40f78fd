//! The pages of webhooks.

// Lists and bulk changes.
pub(super) mod bulk;
pub(super) mod list;

// The page of a webhook.
mod figures;

pub(super) mod diagnosis;
pub(super) mod overview;
pub(super) mod replay;

// Forms: create, edit, test, delete.
mod form;

pub(super) mod delete;
pub(super) mod edit;
pub(super) mod secret;
pub(super) mod test_event;
pub(super) mod url;
