#![doc = include_str!("../README.md")]

mod context;
mod export;
mod exporter;
mod headers;
mod span;
mod spans;

pub use export::{Export, TraceSettings, start};
pub use headers::CollectorHeaders;
pub use span::OpenSpan;
pub use spans::{TakingIn, attempt, publish};
