//! The pages of what counts for the whole platform, and of the tools around it.

pub(super) mod general;
mod times;

pub(super) mod retry_policies;

pub(super) mod api_keys;
pub(super) mod revocation;

pub(super) mod checker;
mod suggestions;
