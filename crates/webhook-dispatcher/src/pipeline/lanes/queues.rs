//! The queues of a lane: first attempts and retries, taken alternately.

use std::collections::VecDeque;

use webhook_store::LeasedDelivery;

/// The deliveries waiting in a lane. First attempts and retries wait apart and alternate, so a mountain
/// of either does not starve the other.
#[derive(Default)]
pub(super) struct Queues {
    pub(super) first_attempts: VecDeque<LeasedDelivery>,
    pub(super) retries: VecDeque<LeasedDelivery>,
    retry_is_next: bool,
}

impl Queues {
    pub(super) fn len(&self) -> usize {
        self.first_attempts.len() + self.retries.len()
    }

    /// The queue for a delivery.
    pub(super) fn queue_for(&self, leased: &LeasedDelivery) -> &VecDeque<LeasedDelivery> {
        if leased.attempts > 0 {
            &self.retries
        } else {
            &self.first_attempts
        }
    }

    pub(super) fn push(&mut self, leased: LeasedDelivery) {
        if leased.attempts > 0 {
            self.retries.push_back(leased);
        } else {
            self.first_attempts.push_back(leased);
        }
    }

    pub(super) fn pop(&mut self) -> Option<LeasedDelivery> {
        let (one, other) = if self.retry_is_next {
            (&mut self.retries, &mut self.first_attempts)
        } else {
            (&mut self.first_attempts, &mut self.retries)
        };
        self.retry_is_next = !self.retry_is_next;
        one.pop_front().or_else(|| other.pop_front())
    }

    pub(super) fn has_test(&self) -> bool {
        let mut all = self.first_attempts.iter().chain(&self.retries);
        all.any(LeasedDelivery::is_test)
    }

    /// Takes the first test out, past the deliveries in front.
    pub(super) fn pop_test(&mut self) -> Option<LeasedDelivery> {
        let mut queues = [&mut self.first_attempts, &mut self.retries].into_iter();
        queues.find_map(|queue| queue.remove(queue.iter().position(LeasedDelivery::is_test)?))
    }

    /// Takes deliveries out, where `which` is true.
    pub(super) fn take_waiting(
        &mut self,
        which: fn(&LeasedDelivery) -> bool,
    ) -> Vec<LeasedDelivery> {
        let mut out = Vec::new();
        for queue in [&mut self.first_attempts, &mut self.retries] {
            let (taken, kept) = queue.drain(..).partition(which);
            *queue = kept;
            out.extend::<VecDeque<LeasedDelivery>>(taken);
        }
        out
    }
}
