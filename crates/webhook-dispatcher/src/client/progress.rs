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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::looking_up(NOT_ENDED, NOT_ENDED, None, None)]
    #[case::looked_up(30, NOT_ENDED, Some(30), None)]
    #[case::connected(30, 50, Some(30), Some(20))]
    #[case::address_in_the_url(NOT_ENDED, 50, None, Some(50))]
    fn the_time_of_tcp_and_tls_begins_after_the_look_up(
        #[case] dns_ms: i32,
        #[case] connected_ms: i32,
        #[case] look_up: Option<i32>,
        #[case] connect: Option<i32>,
    ) {
        let progress = ConnectProgress {
            dns_ms: dns_ms.into(),
            connected_ms: connected_ms.into(),
            ..ConnectProgress::start()
        };

        assert_eq!(
            (progress.dns_ms(), progress.connect_ms()),
            (look_up, connect)
        );
    }

    #[test]
    fn each_step_is_noted_with_the_time_since_the_beginning() {
        let began = Instant::now() - Duration::from_secs(2);
        let progress = ConnectProgress {
            began,
            ..ConnectProgress::start()
        };

        progress.looked_up();
        progress.connected();

        let ended = [&progress.dns_ms, &progress.connected_ms].map(|ms| ms.load(Ordering::Relaxed));
        assert!(
            ended.iter().all(|ms| (2_000..60_000).contains(ms)),
            "{ended:?}"
        );
    }

    type Enter = fn(&ConnectProgress);

    const ADDRESS: &str = "127.0.0.1:9";
    const LOOKS_UP: Enter = |progress| progress.looking_up(&"a.test".into());
    const CONNECTS: Enter = |progress| progress.connecting(&[ADDRESS.parse().expect("an address")]);
    const WAITS_FOR_PORT: Enter = |progress| {
        CONNECTS(progress);
        progress.waiting_for_port();
    };
    const SHAKES_HANDS: Enter = |progress| progress.shaking_hands();

    #[rstest]
    #[case(LOOKS_UP, unanswered_name("a.test"))]
    #[case(
        CONNECTS,
        Failure::new(
            FailureClass::Connect,
            "no connection was accepted in time by 127.0.0.1:9"
        )
    )]
    #[case(WAITS_FOR_PORT, Failure::ours("no local port is free for 127.0.0.1:9"))]
    #[case(
        SHAKES_HANDS,
        Failure::new(FailureClass::Tls, "the TLS handshake did not end in time")
    )]
    fn a_connection_not_finished_in_time_tells_the_step_reached(
        #[case] step: Enter,
        #[case] failure: Failure,
    ) {
        let progress = ConnectProgress::start();

        step(&progress);

        assert_eq!(progress.timed_out(), failure);
    }
}
