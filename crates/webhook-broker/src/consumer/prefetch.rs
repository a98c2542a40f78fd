//! How many messages may be in hand at once, so that their bodies stay within bounds.
//!
//! AMQP counts messages, not bytes, and hands a message out before anybody has seen its size. So the
//! first message comes alone; as long as bodies are small, more come at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use webhook_domain::outside::MAX_MESSAGE_BYTES;

use crate::message::Message;

/// How many bytes of bodies should be in hand at most: 64 MiB.
const BUDGET_BYTES: usize = 64 * 1024 * 1024;

/// A message that came back so often is in hand alone: whatever is at fault, nothing beside it is
/// counted with it. RabbitMQ gives a message up after 100 times.
pub const SUSPECT: u64 = 10;

/// By how much more messages are in hand at once from one step to the next.
const GROWTH: u16 = 16;

/// The number of messages in hand.
#[derive(Debug)]
pub(super) struct Prefetch {
    messages: u16,
    max: Arc<AtomicU16>,
    /// The size of the largest body seen lately; a larger one counts at once, and is forgotten by
    /// and by, over some hundred smaller ones.
    largest_body: usize,
    /// Whether the newest message came back often.
    suspects: bool,
}

impl Prefetch {
    pub(super) fn new(max: Arc<AtomicU16>) -> Self {
        Self {
            messages: 1,
            max,
            largest_body: 0,
            suspects: false,
        }
    }

    /// How many messages may be in hand now.
    pub(super) fn messages(&self) -> u16 {
        self.messages
    }

    /// Takes note of a message.
    pub(super) fn observe(&mut self, message: &Message) {
        self.note(message.body.len(), message.delivery_count);
    }

    fn note(&mut self, body_bytes: usize, delivery_count: u64) {
        let faded = self.largest_body - self.largest_body.div_ceil(64);
        self.largest_body = faded.max(body_bytes);
        self.suspects = delivery_count >= SUSPECT;
    }

    /// Whether more messages may be in hand: at least twice as many, or as many as ever.
    pub(super) fn may_grow(&self) -> bool {
        let wanted = self.wanted();
        let much = wanted == self.max() || wanted / 2 >= self.messages;
        !self.suspects && wanted > self.messages && much
    }

    /// Lets more messages be in hand, if they may. Tells whether.
    pub(super) fn grow(&mut self) -> bool {
        let grows = self.may_grow();
        if grows {
            self.messages = self.wanted();
        }
        grows
    }

    fn wanted(&self) -> u16 {
        self.room().min(self.messages.saturating_mul(GROWTH))
    }

    /// Whether so many messages of the size of the largest one would be far beyond the budget, and that is
    /// larger than what the broker should let through.
    pub(super) fn is_too_large(&self) -> bool {
        self.largest_body > MAX_MESSAGE_BYTES && self.room() < self.messages / 4
    }

    fn max(&self) -> u16 {
        self.max.load(Ordering::Relaxed).max(1)
    }

    /// How many messages of the size of the largest one fit the budget.
    pub(super) fn room(&self) -> u16 {
        let messages = BUDGET_BYTES / self.largest_body.max(1);
        u16::try_from(messages)
            .unwrap_or(u16::MAX)
            .clamp(1, self.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

        prefetch.note(KIB, SUSPECT);
        assert!(!prefetch.grow());
        prefetch.note(KIB, SUSPECT - 1);
        assert!(prefetch.grow());
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
