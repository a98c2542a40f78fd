//! The Settings pages: general settings, retry policies, API keys, the signature checker.

pub(super) mod general;
mod times;

pub(super) mod retry_policies;

pub(super) mod api_keys;
pub(super) mod revocation;

pub(super) mod checker;
mod suggestions;
