//! The confirms of a publisher: whether RabbitMQ takes any message at all.

use std::sync::atomic::{AtomicU64, Ordering};

/// The confirms since the start.
#[derive(Debug, Default)]
pub(super) struct Confirms {
    positive: AtomicU64,
    negative: AtomicU64,
}

/// The numbers of confirms at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConfirmCounts {
    positive: u64,
    negative: u64,
}

impl Confirms {
    pub(super) fn count_positive(&self) {
        self.positive.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_negative(&self) {
        self.negative.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> ConfirmCounts {
        ConfirmCounts {
            positive: self.positive.load(Ordering::Relaxed),
            negative: self.negative.load(Ordering::Relaxed),
        }
    }
}

impl ConfirmCounts {
    /// Whether every confirm since `before` was negative, and there was one.
    pub(super) fn only_negative_since(self, before: Self) -> bool {
        self.negative > before.negative && self.positive == before.positive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_positive_confirm_shows_that_rabbitmq_takes_messages() {
        let confirms = Confirms::default();
        let before = confirms.now();
        assert!(!confirms.now().only_negative_since(before));

        confirms.count_negative();
        assert!(confirms.now().only_negative_since(before));

        confirms.count_positive();
        assert!(!confirms.now().only_negative_since(before));
        assert!(!confirms.now().only_negative_since(confirms.now()));
    }
}
