//! The pages of deliveries: the list, and a delivery's attempts.

pub(super) mod list;

pub(super) mod retry_and_cancel;
pub(super) mod retry_many;
pub(super) mod show;

// Parts of the pages.
mod attempt;
pub(super) mod body_notes;
mod curl;
mod filter;
mod readable;
