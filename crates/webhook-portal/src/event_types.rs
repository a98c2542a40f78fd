//! The pages for receivers: the payload reference, and how to verify requests.

pub(super) mod list;
pub(super) mod templates;
pub(super) mod verifying;

// Documents of the repository as pages.
mod markdown;
