//! The pages of webhooks.

// Lists, bulk changes, export and import.
pub(super) mod bulk;
pub(super) mod import;
pub(super) mod list;
pub(super) mod transfer;

// The page of a webhook.
mod figures;

pub(super) mod diagnosis;
pub(super) mod overview;
pub(super) mod replay;
pub(super) mod templates;

// Forms: create, edit, test, delete.
mod form;
mod form_page;
mod grace_period;
pub(super) mod preview;

pub(super) mod create;
pub(super) mod delete;
pub(super) mod edit;
pub(super) mod name;
pub(super) mod secret;
pub(super) mod test_event;
pub(super) mod url;
mod warnings;
pub(super) mod whole_url;
