#![doc = include_str!("../README.md")]

// The declarations.
pub mod catalogue;
mod metric;

// What the declarations are used for: the page for Prometheus, and the table of the documentation.
mod prometheus;
mod table;

pub use metric::{Counter, Entry, Gauge, Histogram, Kind, Label, Metric, Service};
pub use prometheus::{keep_up, register, render};
pub use table::table;
