//! What receivers use to check signatures, run against what the platform sends.

mod guide;
mod installed;
mod published;
