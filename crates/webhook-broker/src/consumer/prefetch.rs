//! The prefetch: how many messages may be in hand at once, so that the bodies stay within bounds.
//!
//! AMQP counts messages, not bytes, and a message arrives before the size is known. The first
//! message therefore arrives alone; while bodies are small, the prefetch grows in steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use webhook_domain::outside::MAX_MESSAGE_BYTES;

use crate::message::Message;

/// Target for the bodies in hand together, in bytes: 64 MiB. The prefetch is the target divided by the
/// size of the largest body seen lately. Suddenly larger bodies exceed the target until the consumer is
/// replaced, see [`Prefetch::is_too_large`].
const BUDGET_BYTES: usize = 64 * 1024 * 1024;

/// Returns to the queue until a message is suspect. When a consumer goes away, RabbitMQ counts a
/// return for each message in hand, and dead-letters a message after 100 returns. A suspect message is
/// in hand alone, and so costs no neighbour a return.
pub const SUSPECT_AFTER_RETURNS: u64 = 10;

/// Growth of the prefetch in a step, as a factor. Each step ends a consumer and begins another, and
/// three steps lead from 1 to 1,000 messages.
const GROWTH_FACTOR: u16 = 16;

/// The prefetch of a consumer, with the sizes and returns of messages seen lately.
#[derive(Debug)]
pub(super) struct Prefetch {
    messages: u16,
    max: Arc<AtomicU16>,
    /// Size of the largest body seen lately, in bytes. A larger body counts at once; each smaller
    /// body takes a 64th off, and a large body is forgotten after some hundred messages.
    largest_body: usize,
    /// Whether the newest message is suspect, see [`SUSPECT_AFTER_RETURNS`].
    newest_is_suspect: bool,
}

impl Prefetch {
    pub(super) fn new(max: Arc<AtomicU16>) -> Self {
        Self {
            messages: 1,
            max,
            largest_body: 0,
            newest_is_suspect: false,
        }
    }

    /// How many messages may be in hand now.
    pub(super) fn messages(&self) -> u16 {
        self.messages
    }

    /// Takes the size and the returns of a message into account.
    pub(super) fn observe(&mut self, message: &Message) {
        self.note(message.body.len(), message.delivery_count);
    }

    fn note(&mut self, body_bytes: usize, delivery_count: u64) {
        let faded = self.largest_body - self.largest_body.div_ceil(64);
        self.largest_body = faded.max(body_bytes);
        self.newest_is_suspect = delivery_count >= SUSPECT_AFTER_RETURNS;
    }

    /// Whether a step is worth a new consumer: to at least twice the prefetch, or to the maximum.
    /// Never while the newest message is suspect.
    pub(super) fn may_grow(&self) -> bool {
        let wanted = self.wanted();
        let worth_it = wanted == self.max() || wanted / 2 >= self.messages;
        !self.newest_is_suspect && wanted > self.messages && worth_it
    }

    /// Takes a step, if [`may_grow`](Self::may_grow). Returns whether the prefetch grew.
    pub(super) fn grow(&mut self) -> bool {
        let grows = self.may_grow();
        if grows {
            self.messages = self.wanted();
        }
        grows
    }

    fn wanted(&self) -> u16 {
        self.affordable_messages()
            .min(self.messages.saturating_mul(GROWTH_FACTOR))
    }

    /// Whether a full prefetch of bodies like the largest would be four times the budget. Bodies up to
    /// [`MAX_MESSAGE_BYTES`], the bound RabbitMQ should have, never count as too large.
    pub(super) fn is_too_large(&self) -> bool {
        self.largest_body > MAX_MESSAGE_BYTES && self.affordable_messages() < self.messages / 4
    }

    fn max(&self) -> u16 {
        self.max.load(Ordering::Relaxed).max(1)
    }

    /// How many bodies like the largest fit the budget, between 1 and the maximum.
    pub(super) fn affordable_messages(&self) -> u16 {
        let messages = BUDGET_BYTES / self.largest_body.max(1);
        u16::try_from(messages)
            .unwrap_or(u16::MAX)
            .clamp(1, self.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::message::Delivery;
    use proptest::prelude::*;
    use rstest::rstest;

    const KIB: usize = 1024;

    fn after(bodies: &[usize]) -> Prefetch {
        let mut prefetch = Prefetch::new(Arc::new(1_000.into()));
        for body in bodies {
            prefetch.note(*body, 0);
            prefetch.grow();
        }
        prefetch
    }

    #[test]
    fn it_grows_while_bodies_are_small() {
        assert_eq!(after(&[]).messages(), 1);
        assert_eq!(after(&[KIB]).messages(), 16);
        assert_eq!(after(&[KIB; 2]).messages(), 256);
        assert_eq!(after(&[KIB; 3]).messages(), 1_000);
    }

    #[test]
    fn it_stays_small_while_bodies_are_large() {
        assert_eq!(after(&[256 * KIB; 9]).messages(), 256);
        assert_eq!(after(&[16 * KIB * KIB; 9]).messages(), 4);
        assert_eq!(after(&[128 * KIB * KIB; 9]).messages(), 1);
    }

    #[test]
    fn a_large_body_after_many_small_ones_is_too_large_until_it_is_forgotten() {
        let mut prefetch = after(&[KIB; 9]);

        prefetch.note(512 * KIB, 0);
        assert!(
            !prefetch.is_too_large(),
            "what the broker should let through"
        );
        prefetch.note(16 * KIB * KIB, 0);
        assert!(prefetch.is_too_large());
        for _ in 0..1_000 {
            prefetch.note(KIB, 0);
        }
        assert!(!prefetch.is_too_large());
    }

    #[test]
    fn a_message_that_came_back_often_is_alone() {
        let mut prefetch = Prefetch::new(Arc::new(1_000.into()));

        prefetch.note(KIB, SUSPECT_AFTER_RETURNS);
        assert!(!prefetch.grow());
        prefetch.note(KIB, SUSPECT_AFTER_RETURNS - 1);
        assert!(prefetch.grow());
    }

    /// A prefetch of `messages` messages after a body of `body_bytes`.
    fn prefetch(messages: u16, max: u16, body_bytes: usize) -> Prefetch {
        Prefetch {
            messages,
            largest_body: body_bytes,
            ..Prefetch::new(Arc::new(max.into()))
        }
    }

    #[rstest]
    #[case::at_the_maximum(prefetch(300, 300, KIB), 300)]
    #[case::to_the_maximum(prefetch(256, 300, KIB), 300)]
    #[case::less_than_twice(prefetch(256, 1_000, 160 * KIB), 256)]
    #[case::twice(prefetch(200, 1_000, 160 * KIB), 409)]
    #[case::smaller_maximum(prefetch(256, 100, KIB), 256)]
    fn a_step_leads_to_twice_the_prefetch_or_to_the_maximum(
        #[case] mut prefetch: Prefetch,
        #[case] messages: u16,
    ) {
        let before = prefetch.messages();

        let grew = prefetch.grow();

        assert_eq!((prefetch.messages(), grew), (messages, messages > before));
    }

    #[rstest]
    #[case::four_times_the_budget(prefetch(256, 1_000, 1_024 * KIB), false)]
    #[case::more(prefetch(256, 1_000, 1_025 * KIB), true)]
    #[case::small_bodies(prefetch(1_000, 1_000, MAX_MESSAGE_BYTES), false)]
    #[case::small_prefetch(prefetch(1, 1_000, 1_024 * KIB), false)]
    fn bodies_are_too_large_beyond_four_times_the_budget(
        #[case] prefetch: Prefetch,
        #[case] is_too_large: bool,
    ) {
        assert_eq!(prefetch.is_too_large(), is_too_large);
    }

    #[test]
    fn a_message_counts_with_its_size_and_its_returns() {
        let body = vec![b' '; 300 * KIB];
        let delivery = Delivery::mock(1, "".into(), "".into(), true, body);
        let mut message = Message::of(delivery);
        message.delivery_count = SUSPECT_AFTER_RETURNS;
        let mut prefetch = Prefetch::new(Arc::new(1_000.into()));

        prefetch.observe(&message);

        assert_eq!(prefetch.affordable_messages(), 218);
        assert!(!prefetch.may_grow(), "the message is suspect");
    }

    proptest! {
        #[test]
        fn so_many_of_the_largest_fit_the_budget_whenever_it_grows(
            bodies in proptest::collection::vec(0..20 * KIB * KIB, 1..200)
        ) {
            let mut prefetch = Prefetch::new(Arc::new(1_000.into()));
            for body in bodies {
                prefetch.note(body, 0);
                if prefetch.grow() {
                    prop_assert!(usize::from(prefetch.messages()) * body <= BUDGET_BYTES);
                }
            }
        }
    }
}
