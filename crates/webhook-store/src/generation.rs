//! The generation of database sessions. A session of an earlier generation is not used again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The generation of all sessions of this process, in every pool.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The generation of a session opened now.
pub(crate) fn current() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Has every session of every pool opened anew before its next use.
///
/// Called when a reply of Postgres is about the session and not about the statement: the session is
/// read-only after a failover, or has lost a prepared statement.
pub(crate) fn renew() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Renews all sessions, unless the last renewal is younger than `pause`.
pub(crate) fn renew_at_most_each(pause: Duration) {
    static RENEWED: Mutex<Option<Instant>> = Mutex::new(None);
    let mut renewed = RENEWED.lock().unwrap_or_else(PoisonError::into_inner);
    if renewed.is_none_or(|at| at.elapsed() >= pause) {
        *renewed = Some(Instant::now());
        renew();
    }
}
