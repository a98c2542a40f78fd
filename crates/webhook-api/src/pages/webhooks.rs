//! The pages of webhooks.

pub(super) mod list;
