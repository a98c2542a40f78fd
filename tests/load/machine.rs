//! Who may use the machine beside whom.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Held for as long as a test of this program runs.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// The machine for a test whose assertions hold beside other load.
pub(crate) async fn shared() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().await
}

/// The machine for a test that asserts how long something takes.
pub(crate) async fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().await
}

/// The machine for a test whose figures count only when the programs are optimised: alone then,
/// else shared.
pub(crate) async fn alone_when_optimised() -> Turn {
    if cfg!(debug_assertions) {
        Turn::Shared(shared().await)
    } else {
        Turn::Alone(alone().await)
    }
}

/// What [`alone_when_optimised`] holds.
#[allow(dead_code, reason = "only its drop counts")]
pub(crate) enum Turn {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}
