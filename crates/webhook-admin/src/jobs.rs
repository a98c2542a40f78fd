//! Jobs: many deliveries retried, or missed events replayed, step by step.

mod body;

mod cancel;
mod find;
mod list;
mod start;

pub use body::JobBody;
pub use cancel::cancel_job;
pub use find::find_job;
pub use list::{ListJobs, list_jobs};
pub use start::{JobCount, NewJob, parse_rate};
