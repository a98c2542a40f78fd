//! What the dispatcher does across tables.

pub mod destinations;
pub mod jobs;
pub mod retention;
