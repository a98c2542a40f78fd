//! How far the making of a connection has come.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use webhook_domain::FailureClass;

use super::failure::Failure;
use super::resolver::unanswered;

/// What stands for a part that has not ended.
const NONE: i32 = -1;

/// How far a connection has come, and how long its parts took. Those that wait for the connection
/// share it with the task that makes it.
#[derive(Debug)]
pub(crate) struct Progress {
    began: Instant,
    dns_ms: AtomicI32,
    connected_ms: AtomicI32,
    step: Mutex<Step>,
    waits_for_port: AtomicBool,
}

#[derive(Debug, Clone)]
enum Step {
    LookingUp(Arc<str>),
    Connecting(Vec<SocketAddr>),
    ShakingHands,
}

impl Progress {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
            dns_ms: NONE.into(),
            connected_ms: NONE.into(),
            step: Mutex::new(Step::LookingUp("the host".into())),
            waits_for_port: AtomicBool::new(false),
        }
    }

    /// This name is being looked up.
    pub(super) fn looking_up(&self, name: &Arc<str>) {
        self.enter(Step::LookingUp(name.clone()));
    }

    /// The name was looked up, which an address in the URL needs not.
    pub(super) fn looked_up(&self) {
        self.dns_ms.store(millis(self.began), Ordering::Relaxed);
    }

    /// These addresses are being tried.
    pub(crate) fn connecting(&self, addresses: &[SocketAddr]) {
        self.enter(Step::Connecting(addresses.to_vec()));
    }

    /// Every local port is in use, so that a connection has to wait.
    pub(super) fn waiting_for_port(&self) {
        self.waits_for_port.store(true, Ordering::Relaxed);
    }

    /// There is a TCP connection; TLS is next.
    pub(crate) fn shaking_hands(&self) {
        self.enter(Step::ShakingHands);
    }

    /// The connection can be used.
    pub(super) fn connected(&self) {
        self.connected_ms
            .store(millis(self.began), Ordering::Relaxed);
    }

    /// How long the look-up took, if there was one.
    pub(crate) fn dns_ms(&self) -> Option<i32> {
        Some(self.dns_ms.load(Ordering::Relaxed)).filter(|ms| *ms != NONE)
    }

    /// How long TCP and TLS took, if there is a connection.
    pub(crate) fn connect_ms(&self) -> Option<i32> {
        let all = Some(self.connected_ms.load(Ordering::Relaxed)).filter(|ms| *ms != NONE)?;
        Some(all.saturating_sub(self.dns_ms().unwrap_or(0)))
    }

    /// What it means that the connection is not there in time.
    pub(crate) fn timed_out(&self) -> Failure {
        let step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        match &*step {
            Step::LookingUp(name) => unanswered(name),
            Step::Connecting(addresses) => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let addresses = addresses.join(", ");
                if self.waits_for_port.load(Ordering::Relaxed) {
                    return Failure::ours(format_args!("no local port is free for {addresses}"));
                }
                Failure::new(
                    FailureClass::Connect,
                    format_args!("no connection was taken in time by {addresses}"),
                )
            }
            Step::ShakingHands => Failure::new(
                FailureClass::Tls,
                "the TLS handshake did not come to its end in time",
            ),
        }
    }

    fn enter(&self, step: Step) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }
}

/// Milliseconds since then.
pub(crate) fn millis(since: Instant) -> i32 {
    i32::try_from(since.elapsed().as_millis()).unwrap_or(i32::MAX)
}
