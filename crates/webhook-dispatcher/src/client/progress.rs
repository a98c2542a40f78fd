//! How far the making of a connection has come.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use webhook_domain::FailureClass;

use super::failure::Failure;

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
}

#[derive(Debug, Clone)]
enum Step {
    LookingUp,
    Connecting(Vec<SocketAddr>),
    ShakingHands,
}

impl Progress {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
            dns_ms: NONE.into(),
            connected_ms: NONE.into(),
            step: Mutex::new(Step::LookingUp),
        }
    }

    /// The name was looked up, which an address in the URL needs not.
    pub(super) fn looked_up(&self) {
        self.dns_ms.store(millis(self.began), Ordering::Relaxed);
    }

    /// These addresses are being tried.
    pub(crate) fn connecting(&self, addresses: &[SocketAddr]) {
        self.enter(Step::Connecting(addresses.to_vec()));
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

    /// What it means that the connection is not there after so long.
    pub(super) fn timed_out(&self, after: Duration) -> Failure {
        let seconds = after.as_secs_f64();
        let step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        match &*step {
            Step::LookingUp => Failure::new(
                FailureClass::Dns,
                format_args!("no name server told the host's addresses within {seconds} s"),
            ),
            Step::Connecting(addresses) => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let addresses = addresses.join(", ");
                Failure::new(
                    FailureClass::Connect,
                    format_args!("{addresses} took no connection within {seconds} s"),
                )
            }
            Step::ShakingHands => Failure::new(
                FailureClass::Tls,
                format_args!("the TLS handshake did not come to its end within {seconds} s"),
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
