//! Whether a request is signed as it should be, for the engineer whose verifier says no.

pub(crate) mod check;
pub(crate) mod finding;
pub(crate) mod parties;
pub(crate) mod received;

mod cause;
mod claim;
pub(crate) mod mangling;
