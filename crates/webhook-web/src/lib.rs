#![doc = include_str!("../README.md")]

// The way of a request: request id and log line, authentication, permission.
pub mod access_log;
pub mod request_id;

pub mod auth;
pub mod session;

pub mod api_key_cache;
pub mod rate_limit;

// Arguments of handlers.
pub mod authenticated;
pub mod body;
pub mod creation;
pub mod if_match;
pub mod path_id;
mod request_metrics;
pub mod trace_parent;

// Refusals.
pub mod problem;

pub use authenticated::Authenticated;
pub use path_id::PathId;
pub use problem::Problem;
