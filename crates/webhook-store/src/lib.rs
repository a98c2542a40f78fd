//! Everything that must be remembered, in Postgres: one file per table holds all its SQL.
//!
//! Functions take a connection; the caller owns the transaction. Every write here is one
//! statement, and so is atomic without one.

mod connection;
mod error;
mod pool;
mod schema;
mod sealing;
mod statement;

// One file per table.
pub mod api_keys;
pub mod attempts;
pub mod deliveries;
pub mod health;
pub mod retry_policies;
pub mod status_events;
pub mod webhooks;

// What the dispatcher does across them, in the order of an event's way.
pub mod claims;
pub mod destinations;
pub mod intake;
pub mod ordering;

pub mod migrations;

pub use error::StoreError;
pub use pool::{ConnectError, Connection, Pool, acquire, connect, ping};
pub use sealing::{SealError, SealingKey};
