#![doc = include_str!("../README.md")]

// The configuration of a process.
pub mod database_url;
pub mod flag;
pub mod flags;
pub mod problems;
pub mod reference;
pub mod renamed;
pub mod settings;

// Text for terminals and logs.
pub mod printable;

// The life of a process.
pub mod dependencies;
pub mod logging;
pub mod operations;
pub mod signals;
