//! How long the parts of an attempt take.
//!
//! The client looks names up and connects inside of the request that needs it, so both find the
//! clock of that request as a task-local value. A request that finds a connection does neither.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use tower_layer::Layer;
use tower_service::Service;
use webhook_store::attempts::Timing;

tokio::task_local! {
    static CLOCK: Clock;
}

/// What stands for a part that did not happen.
const NONE: i32 = -1;

/// The clock of one attempt. Cloning it shares it.
#[derive(Clone)]
pub(crate) struct Clock {
    began: Instant,
    parts: Arc<Parts>,
}

struct Parts {
    dns_ms: AtomicI32,
    connected_ms: AtomicI32,
    first_byte_ms: AtomicI32,
}

impl Clock {
    /// Starts.
    pub(crate) fn start() -> Self {
        let parts = Parts {
            dns_ms: NONE.into(),
            connected_ms: NONE.into(),
            first_byte_ms: NONE.into(),
        };
        Self {
            began: Instant::now(),
            parts: Arc::new(parts),
        }
    }

    /// Does a request's work by this clock.
    pub(crate) async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        CLOCK.scope(self.clone(), work).await
    }

    /// The answer's head is there.
    pub(crate) fn answered(&self) {
        let now = millis(self.began);
        self.parts.first_byte_ms.store(now, Ordering::Relaxed);
    }

    /// What it shows at the end.
    pub(crate) fn read(&self) -> Timing {
        let part = |part: &AtomicI32| Some(part.load(Ordering::Relaxed)).filter(|ms| *ms != NONE);
        let dns_ms = part(&self.parts.dns_ms);
        let connected = part(&self.parts.connected_ms);
        Timing {
            duration_ms: millis(self.began),
            dns_ms,
            connect_ms: connected.map(|all| all.saturating_sub(dns_ms.unwrap_or(0))),
            first_byte_ms: part(&self.parts.first_byte_ms),
        }
    }
}

/// Tells the clock of the request that is running, if there is one, how long a look-up took.
pub(crate) fn resolved(began: Instant) {
    let note = |clock: &Clock| clock.parts.dns_ms.store(millis(began), Ordering::Relaxed);
    // Nobody measures what is looked up outside of an attempt.
    let _ = CLOCK.try_with(note);
}

fn millis(since: Instant) -> i32 {
    i32::try_from(since.elapsed().as_millis()).unwrap_or(i32::MAX)
}

/// Measures how long connections take.
#[derive(Clone, Copy)]
pub(crate) struct Timed;

/// A connector that is measured.
#[derive(Clone)]
pub(crate) struct TimedConnector<S>(S);

impl<S> Layer<S> for Timed {
    type Service = TimedConnector<S>;

    fn layer(&self, connector: S) -> Self::Service {
        TimedConnector(connector)
    }
}

impl<S, R> Service<R> for TimedConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let (began, connecting) = (Instant::now(), self.0.call(target));
        let clock = CLOCK.try_with(Clone::clone).ok();
        Box::pin(async move {
            let connected = connecting.await;
            if let Some(clock) = clock {
                let took = millis(began);
                clock.parts.connected_ms.store(took, Ordering::Relaxed);
            }
            connected
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_did_not_happen_took_no_time() {
        let clock = Clock::start();

        clock.scope(async { resolved(Instant::now()) }).await;

        let timing = clock.read();
        assert_eq!((timing.dns_ms, timing.connect_ms), (Some(0), None));
        assert_eq!(timing.first_byte_ms, None);
    }
}
