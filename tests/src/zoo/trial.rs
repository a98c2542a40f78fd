use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use webhook_broker::Publisher;
use webhook_domain::{Environment, EventType, WebhookId};

use super::Extent;
use super::kind::WhenIdle;
use super::running::RunningReceiver;
use crate::{WebhookSample, World, event};

/// How many events are published at once after a pause. Over HTTP/1 each event finds another idle
/// connection. The receiver is about to close all of these connections.
const BURST: usize = 8;

/// The greatest number of pauses for one receiver. More pauses would lie less than 2 ms apart, which is
/// about as exact as the way of an event through the broker.
const MAX_PAUSES: u64 = 20;

/// The pause between bursts for a receiver that reloads: some fall into a reload, some find every
/// connection idle.
const RELOAD_PAUSE: Duration = Duration::from_millis(50);

/// A receiver, the receiver's webhook, and the events published for the webhook.
pub(super) struct Trial {
    pub(super) receiver: RunningReceiver,
    pub(super) webhook_id: WebhookId,
    /// The ids of the published events, as in `webhook-id`.
    pub(super) event_ids: Vec<String>,
    /// Events a second at full speed, if no other receiver was sent any meanwhile.
    pub(super) rate: Option<f64>,
    environment: Environment,
    event_type: EventType,
}

impl Trial {
    /// Stores the webhook of the receiver. No other receiver has the same `number`.
    pub(super) async fn new(receiver: RunningReceiver, number: usize, world: &World) -> Self {
        let environments = Environment::ALL.len();
        let environment = Environment::ALL[number % environments];
        let event_type = EventType::ALL[number / environments];
        let sample = WebhookSample {
            environment,
            patterns: &[event_type.as_str()],
            ..WebhookSample::at(&receiver.url)
        };
        let webhook = sample.store(&mut world.database.connection().await).await;
        Self {
            receiver,
            webhook_id: webhook.id,
            event_ids: Vec::new(),
            rate: None,
            environment,
            event_type,
        }
    }

    /// How many events were published.
    pub(super) fn published(&self) -> usize {
        self.event_ids.len()
    }

    /// Publishes `count` events at once.
    pub(super) async fn publish(&mut self, publisher: &Publisher, count: usize) {
        let events: Vec<_> = (0..count)
            .map(|_| event(self.environment, self.event_type))
            .collect();
        let published = publisher.publish_all(&events).await;
        assert!(published.iter().all(Result::is_ok), "the broker confirms");
        self.event_ids
            .extend(events.iter().map(|e| e.id.to_string()));
    }

    /// Publishes bursts of events, each when the receiver is about to close the connections of the burst
    /// before.
    pub(super) async fn publish_after_pauses(&mut self, publisher: &Publisher, extent: Extent) {
        let pauses = match &self.receiver.kind.when_idle {
            WhenIdle::Closes(ranges) => pauses(ranges, extent.pauses()),
            WhenIdle::Reloads => {
                let bursts = extent.reloads().as_millis() / RELOAD_PAUSE.as_millis();
                vec![RELOAD_PAUSE; usize::try_from(bursts).expect("a small number")]
            }
            WhenIdle::NeverCloses => return,
        };
        if pauses.is_empty() {
            return;
        }
        let _reloads = self.receiver.reloads();
        let mut next = Instant::now();
        self.publish(publisher, BURST).await;
        for pause in pauses {
            // The pause counts from burst to burst: every burst takes about as long to the receiver.
            next += pause;
            sleep_until(next).await;
            self.publish(publisher, BURST).await;
        }
    }
}

/// Pauses spread evenly over each range, as many as fit into `time` altogether.
fn pauses(ranges: &[RangeInclusive<u64>], time: Duration) -> Vec<Duration> {
    let mut pauses = Vec::new();
    for range in ranges {
        let (from, to) = (*range.start(), *range.end());
        let fitting = time.as_millis() / ranges.len() as u128 / u128::from(to);
        let count = u64::try_from(fitting).unwrap_or(u64::MAX).min(MAX_PAUSES);
        let gaps = count.max(2) - 1;
        let pause = |number| Duration::from_millis(from + (to - from) * number / gaps);
        pauses.extend((0..count).map(pause));
    }
    pauses
}
