//! Everything that must be remembered, in Postgres: one file per table holds all its SQL.
//!
//! Functions take a connection; the caller owns the [`transaction`] where their doc asks for one.
//! Any other write is one statement or a transaction of its own.

mod connection;
mod droppable;
mod error;
mod ids;
mod leased;
mod pool;
mod preflight;
mod schema;
mod sealing;
mod statement;
mod transaction;

// One file per table.
pub mod activity;
pub mod api_keys;
pub mod attempts;
pub mod audit;
pub mod deliveries;
pub mod events;
pub mod explanation;
pub mod health;
pub mod idempotency;
pub mod rejected_messages;
pub mod retention;
pub mod retry_policies;
pub mod secrets;
pub mod sessions;
pub mod settings;
pub mod status_events;
pub mod url_checks;
pub mod webhooks;

// What the dispatcher does across them, in the order of an event's way.
pub mod claims;
pub mod destinations;
pub mod intake;
pub mod jobs;
pub mod ordering;

pub mod migrations;

pub use connection::Purpose;
pub use droppable::droppable;
pub use error::StoreError;
pub use leased::{LaneRoom, LeasedDelivery, LeasedFrom};
pub use pool::{
    ConnectError, Connection, Pool, PoolError, RawConnection, Session, Sessions, acquire, connect,
    ping,
};
pub use preflight::check_sessions;
pub use sealing::{SealError, SealingKeys};
pub use transaction::transaction;
