//! Work that may be dropped in the middle, such as the request of a client that went away.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

tokio::task_local! {
    /// Whether the surrounding work is being polled now.
    static AT_WORK: Arc<AtomicBool>;
}

/// Does `work`. When the work is dropped before its end, the connections in its hands are closed and do
/// not return to their pools: the next user of such a connection would have to wait for the end of
/// an abandoned statement.
pub async fn droppable<T>(work: impl Future<Output = T>) -> T {
    let at_work = Arc::new(AtomicBool::new(false));
    let watched = async {
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            // A connection dropped between two polls is dropped together with the work.
            at_work.store(true, Ordering::Relaxed);
            let polled = work.as_mut().poll(context);
            at_work.store(false, Ordering::Relaxed);
            polled
        })
        .await
    };
    AT_WORK.scope(at_work.clone(), watched).await
}

/// The flag of the surrounding work. `None`: outside of [`droppable`].
pub(crate) fn current() -> Option<Arc<AtomicBool>> {
    AT_WORK.try_with(Clone::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Notes at its drop whether the work was being polled, as a connection does.
    struct Held(Arc<AtomicBool>, Arc<AtomicBool>);

    impl Drop for Held {
        fn drop(&mut self) {
            let at_work = self.0.load(Ordering::Relaxed);
            self.1.store(at_work, Ordering::Relaxed);
        }
    }

    async fn hold(dropped_at_work: Arc<AtomicBool>, sleep: Duration) {
        let _held = Held(current().expect("it is droppable"), dropped_at_work);
        tokio::time::sleep(sleep).await;
    }

    #[tokio::test]
    async fn what_is_dropped_with_its_work_can_tell() {
        let at_work = Arc::new(AtomicBool::new(false));

        droppable(hold(at_work.clone(), Duration::ZERO)).await;
        assert!(at_work.load(Ordering::Relaxed), "it came to its end");

        let long = droppable(hold(at_work.clone(), Duration::from_secs(60)));
        let dropped = tokio::time::timeout(Duration::from_millis(1), long).await;
        assert!(dropped.is_err() && !at_work.load(Ordering::Relaxed));
        assert!(current().is_none());
    }
}
