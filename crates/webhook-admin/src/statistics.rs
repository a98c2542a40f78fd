//! Statistics: deliveries and attempts, counted per hour or day.

mod body;
mod read;
mod request;

pub use body::{SpanBody, SpanCounts, Statistics};
pub use read::read_statistics;
pub use request::{Interval, ReadStatistics};
