//! The reference for receivers: what events say, and how to verify them.

pub(super) mod list;
pub(super) mod verifying;

// Documents of the repository as pages.
mod markdown;
