//! The load: fresh events, published at once or at a steady pace.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;
use webhook_broker::{PublishError, Publisher};
use webhook_domain::{Environment, Event, EventType};

/// Size of an event's body, in bytes.
const BODY_BYTES: usize = 500;

/// Events published before their confirms are awaited.
const EVENTS_PER_BURST: usize = 1_000;

/// Most ticks per second of a steady load. At a faster pace, the events of a tick are a batch.
const MAX_TICKS_PER_SECOND: u32 = 200;

/// Most ticks without confirms at once: a second's worth.
const MAX_UNCONFIRMED: usize = MAX_TICKS_PER_SECOND as usize;

/// Head of an event's `data`: the time of publishing follows, in nanoseconds of Unix time.
const SENT_AT: &str = r#""data":{"sent_at":"#;

/// A fresh event of production, of typical size.
pub(crate) fn event(event_type: EventType) -> Event {
    let id = Uuid::now_v7();
    let environment = Environment::Production;
    let head = format!(
        r#"{{"id":"{id}","type":"{event_type}","environment":"{environment}","timestamp":"2026-11-23T08:15:30.123Z",{SENT_AT}{},"padding":""#,
        now()
    );
    let padding = BODY_BYTES.saturating_sub(head.len() + 3);
    let body = format!("{head}{}\"}}}}", "x".repeat(padding));
    Event::parse(Bytes::from(body)).expect("the body is an event")
}

/// Publishes `count` events with confirms, as fast as RabbitMQ accepts events.
pub(crate) async fn publish(
    publisher: &Publisher,
    count: usize,
    event_type: EventType,
) -> anyhow::Result<()> {
    for begun in (0..count).step_by(EVENTS_PER_BURST) {
        let burst: Vec<Event> = (begun..count.min(begun + EVENTS_PER_BURST))
            .map(|_| event(event_type))
            .collect();
        all_are_confirmed(&publisher.publish_all(&burst).await)?;
    }
    Ok(())
}

fn all_are_confirmed(answers: &[Result<(), PublishError>]) -> anyhow::Result<()> {
    ensure!(
        answers.iter().all(Result::is_ok),
        "the broker did not confirm every event"
    );
    Ok(())
}

/// A steady load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Events per second.
    pub(crate) per_second: u32,
    /// Duration of the load.
    pub(crate) lasting: Duration,
}

impl Pace {
    /// Number of events.
    pub(crate) fn events(self) -> usize {
        let events = u128::from(self.per_second) * self.lasting.as_millis() / 1_000;
        usize::try_from(events).unwrap_or(usize::MAX)
    }

    /// Publishes the events on time while RabbitMQ confirms within a second, and waits for all confirms
    /// at the end. Later confirms slow the load down, as for any publisher.
    pub(crate) async fn publish(
        self,
        publisher: &Publisher,
        event_type: EventType,
    ) -> anyhow::Result<()> {
        let ticks_per_second = self.per_second.clamp(1, MAX_TICKS_PER_SECOND);
        let mut tick = interval(Duration::from_secs(1) / ticks_per_second);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut published, mut ticks, mut on_their_way) = (0, 0, JoinSet::new());
        while published < self.events() {
            tick.tick().await;
            ticks += 1;
            // By the number of ticks, not by the clock: a late tick catches up.
            let due = ticks * u64::from(self.per_second) / u64::from(ticks_per_second);
            let due = usize::try_from(due)?.min(self.events());
            let events: Vec<Event> = (published..due).map(|_| event(event_type)).collect();
            published = due;
            let publisher = publisher.clone();
            on_their_way.spawn(async move { publisher.publish_all(&events).await });
            while on_their_way.len() > MAX_UNCONFIRMED
                && let Some(confirmed) = on_their_way.join_next().await
            {
                all_are_confirmed(&confirmed?)?;
            }
        }
        while let Some(confirmed) = on_their_way.join_next().await {
            all_are_confirmed(&confirmed?)?;
        }
        Ok(())
    }
}

/// The time since an event was made, read from the body.
pub(crate) fn age(body: &[u8]) -> Option<Duration> {
    let body = std::str::from_utf8(body).ok()?;
    let (_, rest) = body.split_once(SENT_AT)?;
    let nanos: u64 = rest.split([',', '}']).next()?.parse().ok()?;
    Some(Duration::from_nanos(now().saturating_sub(nanos)))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_its_size_and_tells_its_age() {
        let event = event(EventType::LicenseActivated);

        assert_eq!(event.body.len(), BODY_BYTES);
        assert!(age(&event.body).is_some_and(|age| age < Duration::from_secs(5)));
    }
}
