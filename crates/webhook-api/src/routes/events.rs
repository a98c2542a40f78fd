//! Events.

pub(crate) mod publish;
