//! Events: published, looked at, explained.

pub(crate) mod explanation;
pub(crate) mod publish;
pub(crate) mod read;
