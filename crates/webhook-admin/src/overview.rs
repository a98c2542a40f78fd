//! The overview: all webhooks of an environment at once.

mod body;
mod oldest_due;
mod read;
mod request;

pub use body::{
    DeliveryCounts, EventTypeCounts, Overview, OverviewSpan, PendingBody, RejectedBody,
};
pub use oldest_due::OldestDueCache;
pub use read::read_overview;
pub use request::{ReadOverview, TimeSpan};
