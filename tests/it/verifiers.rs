//! Checks of signatures as receivers have them, run against requests from the platform.

mod guide;
mod installed;
mod published;

pub(crate) use installed::{must, run};
