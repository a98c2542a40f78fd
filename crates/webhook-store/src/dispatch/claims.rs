//! Leasing due deliveries: retries, deliveries handed back, and deliveries of a dead worker.
//!
//! A due delivery is first [promoted](promote_due) into the backlog of the webhook, then
//! [claimed](claim_backlog) out of the backlog when a lane has room. So a claim reads only webhooks with
//! due deliveries, and no more rows than the worker leases.

mod backlog;
mod claimed;
mod probes;

pub use backlog::{ClaimRequest, claim_backlog, hand_back, promote_due};
pub use probes::claim_probes;
