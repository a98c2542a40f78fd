//! The pages for receivers: the payload reference, and the guides.

pub(super) mod guides;
pub(super) mod list;

// Documents of the repository as pages.
mod markdown;
