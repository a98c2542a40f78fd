//! Work that may be dropped in the middle, such as a request whose client went away.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

tokio::task_local! {
    /// Whether the work around is being done at this moment.
    static AT_WORK: Arc<AtomicBool>;
}

/// Does `work`. If it is dropped before its end, the connections that it holds at that moment are
/// closed and do not go back to their pools: the next one to use them would first have to wait for
/// the end of a statement that nobody wants any more.
pub async fn droppable<T>(work: impl Future<Output = T>) -> T {
    let at_work = Arc::new(AtomicBool::new(false));
    let watched = async {
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            // A connection that is dropped outside of this is dropped with its work.
            at_work.store(true, Ordering::Relaxed);
            let polled = work.as_mut().poll(context);
            at_work.store(false, Ordering::Relaxed);
            polled
        })
        .await
    };
    AT_WORK.scope(at_work.clone(), watched).await
}

/// Whether the work that goes on here is being done. `None`: nobody drops it.
pub(crate) fn current() -> Option<Arc<AtomicBool>> {
    AT_WORK.try_with(Clone::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Tells where it is dropped, as a connection does.
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
