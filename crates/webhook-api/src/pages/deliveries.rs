//! The pages of deliveries.

pub(super) mod list;

pub(super) mod act;
pub(super) mod retry_all;
pub(super) mod show;

// What they are made of.
mod attempt;
pub(super) mod body_notes;
mod curl;
mod filter;
mod readable;
