#![doc = include_str!("../README.md")]

// The declarations.
pub mod catalogue;
mod metric;

// What the declarations are used for: the page for Prometheus, and the table of the documentation.
mod prometheus;
mod status;
mod table;

pub use metric::{Counter, Entry, Gauge, Histogram, Kind, Label, Metric, Prepared, Service};
pub use prometheus::{keep_up, register, render};
pub use status::status_class;
pub use table::table;
