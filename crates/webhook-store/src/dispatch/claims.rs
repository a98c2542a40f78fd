//! Leasing deliveries that are due: retries, deliveries handed back, and those of a dead worker.
//!
//! A delivery whose time comes is first [promoted](promote_due) into the backlog of its webhook, then
//! [claimed](claim_backlog) out of the backlog when a lane has room. So a claim reads only webhooks
//! with due deliveries, and no more rows than are leased.

mod backlog;
mod claimed;
mod probes;

pub use backlog::{ClaimRequest, claim_backlog, hand_back, promote_due};
pub use probes::claim_probes;
