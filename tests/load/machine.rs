//! Turns of the tests on the machine: alone or shared.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Held by each running test of the program.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// The machine for a test whose assertions hold beside other load.
pub(crate) async fn shared() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().await
}

/// The machine for a test with an assertion about time.
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

/// The turn of [`alone_when_optimised`].
#[allow(dead_code, reason = "only the drop counts")]
pub(crate) enum Turn {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}
