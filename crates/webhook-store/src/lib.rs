#![doc = include_str!("../README.md")]

// Building blocks of statements.
mod column_types;
mod ids;
mod schema;
mod sql;

// Sessions with Postgres.
mod connection;
mod droppable;
mod error;
mod generation;
mod inspection;
mod pool;
mod preflight;
mod sealing;
mod transaction;

mod dispatch;
mod tables;

pub mod migrations;

pub use connection::PoolPurpose;
pub use dispatch::leased::{LaneRoom, LeasedDelivery, LeasedFrom};
pub use dispatch::{claims, destinations, intake, ordering, retention, totals};
pub use droppable::droppable;
pub use error::{PoolError, StoreError};
pub use inspection::{DatabaseFacts, inspect};
pub use pool::{
    ConnectError, Connection, Pool, RawConnection, Session, Sessions, acquire, connect, ping,
    show_size,
};
pub use preflight::{check_sessions, is_away};
pub use sealing::{SealError, SealingKeys};
pub use tables::{
    activity, api_keys, audit, circuits, days, deliveries, dispatchers, environment_hours, events,
    explanation, idempotency, rejected_messages, retry_policies, secrets, sessions, settings,
    status_events, templates, url_checks, webhooks,
};
pub use transaction::transaction;

/// Attempts, transcripts, and recording.
pub mod attempts {
    pub use crate::dispatch::recording::{AttemptResult, NextState, record};
    pub use crate::tables::attempts::{Attempt, StoredTranscript, Timing, list};
    pub use crate::tables::transcripts::{self, Transcript};
}

/// Jobs and steps of jobs.
pub mod jobs {
    pub use crate::dispatch::jobs::take_step;
    pub use crate::tables::jobs::{Job, JobScope, Replay, cancel, find, insert, list};
}
