//! What both processes do: write their log.

pub mod logging;
