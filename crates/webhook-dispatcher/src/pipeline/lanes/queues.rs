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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::sample::{leased, leased_test};

    fn queues(leased: impl IntoIterator<Item = LeasedDelivery>) -> Queues {
        let mut queues = Queues::default();
        leased.into_iter().for_each(|leased| queues.push(leased));
        queues
    }

    fn numbers(leased: impl IntoIterator<Item = LeasedDelivery>) -> Vec<u128> {
        let ids = leased.into_iter().map(|leased| leased.id.0);
        ids.map(|id| id.as_u128()).collect()
    }

    #[test]
    fn first_attempts_and_retries_alternate_until_either_queue_is_empty() {
        let mut queues =
            queues([(1, 0), (2, 0), (3, 1), (4, 2), (5, 1)].map(|(n, a)| leased(n, a)));
        let filled = queues.len();

        let popped = numbers(std::iter::from_fn(|| queues.pop()));

        assert_eq!((filled, queues.len()), (5, 0));
        assert_eq!(popped, [1, 3, 2, 4, 5]);
    }

    #[test]
    fn the_queue_for_a_delivery_is_the_queue_where_the_delivery_waits() {
        let queues = queues([leased(1, 0), leased(2, 0), leased(3, 1)]);

        let waiting = [0, 1, 2].map(|attempts| queues.queue_for(&leased(9, attempts)).len());

        assert_eq!(waiting, [2, 1, 1]);
    }

    #[test]
    fn a_test_is_taken_past_the_deliveries_in_front() {
        let mut queues = queues([
            leased(1, 0),
            leased_test(2, 0),
            leased(3, 1),
            leased_test(4, 1),
        ]);

        let found = [(); 3].map(|()| (queues.has_test(), queues.pop_test()));

        let had = found.each_ref().map(|(has_test, _)| *has_test);
        let tests = numbers(found.into_iter().filter_map(|(_, test)| test));
        assert_eq!(had, [true, true, false]);
        assert_eq!(tests, [2, 4]);
        assert_eq!(queues.len(), 2);
    }

    #[test]
    fn deliveries_are_taken_out_of_both_queues_and_the_others_keep_their_order() {
        let mut queues = queues([
            leased(1, 0),
            leased_test(2, 0),
            leased(3, 0),
            leased_test(4, 1),
        ]);

        let taken = queues.take_waiting(LeasedDelivery::is_test);

        assert_eq!(numbers(taken), [2, 4]);
        assert_eq!(numbers(queues.first_attempts), [1, 3]);
        assert_eq!(numbers(queues.retries), []);
    }
}
