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

// One file per table, and one for what the dispatcher claims across them.
pub mod api_keys;
pub mod attempts;
pub mod claims;
pub mod deliveries;
pub mod intake;
pub mod migrations;
pub mod webhooks;

pub use error::StoreError;
pub use pool::{ConnectError, Connection, Pool, acquire, connect, ping};
pub use sealing::{SealError, SealingKey};
