//! The progress of a new connection: the steps done, and their times.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use webhook_domain::FailureClass;

use super::failure::{Failure, unanswered_name};

/// The duration of an unfinished step.
const NOT_ENDED: i32 = -1;

/// How far a new connection has come, and how long each step took. Shared by the waiting requests and
/// the task making the connection, so the fields are atomic.
#[derive(Debug)]
pub(crate) struct ConnectProgress {
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

impl ConnectProgress {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
            dns_ms: NOT_ENDED.into(),
            connected_ms: NOT_ENDED.into(),
            step: Mutex::new(Step::LookingUp("the host".into())),
            waits_for_port: AtomicBool::new(false),
        }
    }

    /// Notes the start of the look-up of `name`.
    pub(super) fn looking_up(&self, name: &Arc<str>) {
        self.enter(Step::LookingUp(name.clone()));
    }

    /// Notes the end of the look-up. An address in the URL needs no look-up.
    pub(super) fn looked_up(&self) {
        self.dns_ms.store(millis(self.began), Ordering::Relaxed);
    }

    /// Notes the start of TCP to `addresses`.
    pub(crate) fn connecting(&self, addresses: &[SocketAddr]) {
        self.enter(Step::Connecting(addresses.to_vec()));
    }

    /// Notes a wait for a local port, as every port is in use.
    pub(super) fn waiting_for_port(&self) {
        self.waits_for_port.store(true, Ordering::Relaxed);
    }

    /// Notes the end of TCP and the start of TLS.
    pub(crate) fn shaking_hands(&self) {
        self.enter(Step::ShakingHands);
    }

    /// Notes the end: the connection can be used.
    pub(super) fn connected(&self) {
        self.connected_ms
            .store(millis(self.began), Ordering::Relaxed);
    }

    /// How long the look-up took. `None`: unfinished, or not needed.
    pub(crate) fn dns_ms(&self) -> Option<i32> {
        Some(self.dns_ms.load(Ordering::Relaxed)).filter(|ms| *ms != NOT_ENDED)
    }

    /// How long TCP and TLS took. `None`: there is no connection yet.
    pub(crate) fn connect_ms(&self) -> Option<i32> {
        let all = Some(self.connected_ms.load(Ordering::Relaxed)).filter(|ms| *ms != NOT_ENDED)?;
        Some(all.saturating_sub(self.dns_ms().unwrap_or(0)))
    }

    /// The failure of a connection not finished in time, by the step reached.
    pub(crate) fn timed_out(&self) -> Failure {
        let step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        match &*step {
            Step::LookingUp(name) => unanswered_name(name),
            Step::Connecting(addresses) => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let addresses = addresses.join(", ");
                if self.waits_for_port.load(Ordering::Relaxed) {
                    return Failure::ours(format_args!("no local port is free for {addresses}"));
                }
                Failure::new(
                    FailureClass::Connect,
                    format_args!("no connection was accepted in time by {addresses}"),
                )
            }
            Step::ShakingHands => {
                Failure::new(FailureClass::Tls, "the TLS handshake did not end in time")
            }
        }
    }

    fn enter(&self, step: Step) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }
}

/// The milliseconds since an instant.
pub(crate) fn millis(since: Instant) -> i32 {
    i32::try_from(since.elapsed().as_millis()).unwrap_or(i32::MAX)
}
