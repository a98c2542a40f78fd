//! Everything that must be remembered, in Postgres.
//!
//! `tables` has one file per table; `dispatch` holds the statements across tables on the way of
//! an event. Functions take a connection; the caller owns the [`transaction`] where their doc asks
//! for one. Any other write is one statement or a transaction of its own.

mod column_types;
mod connection;
mod droppable;
mod error;
mod generation;
mod ids;
mod leased;
mod pool;
mod preflight;
mod schema;
mod sealing;
mod sql;
mod statement;
mod transaction;

pub mod attempts;
mod dispatch;
mod tables;

// What the dispatcher does across them, in the order of an event's way.
pub mod claims;
pub mod intake;
pub mod ordering;

pub mod migrations;

pub use connection::Purpose;
pub use dispatch::{destinations, jobs, retention};
pub use droppable::droppable;
pub use error::{PoolError, StoreError};
pub use leased::{LaneRoom, LeasedDelivery, LeasedFrom};
pub use pool::{
    ConnectError, Connection, Pool, RawConnection, Session, Sessions, acquire, connect, ping,
};
pub use preflight::check_sessions;
pub use sealing::{SealError, SealingKeys};
pub use tables::{
    activity, api_keys, audit, deliveries, events, explanation, health, idempotency,
    rejected_messages, retry_policies, secrets, sessions, settings, status_events, url_checks,
    webhooks,
};
pub use transaction::transaction;
