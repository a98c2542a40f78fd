//! The signature check: whether a received request is signed correctly, and if not, why. For
//! engineers whose verifier refuses requests.

pub(crate) mod check;
pub(crate) mod finding;
pub(crate) mod parties;
pub(crate) mod received;

mod cause;
mod claim;
pub(crate) mod mangling;
