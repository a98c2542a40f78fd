//! What the delivery engine promises, each against a receiver that puts it to the test.

use webhook_domain::{Environment, Event, EventType};
use webhook_tests::event;

mod health;
mod lanes;
mod ordering;
mod retries;

/// Fresh events of production.
fn events(count: usize) -> Vec<Event> {
    (0..count)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect()
}
