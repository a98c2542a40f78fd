//! Every metric of both services. `docs/metrics.md` is written from these declarations.

use crate::metric::{Entry, Service};

mod attempts;
mod backlog;
mod dependencies;
mod events;
mod http;
mod lanes;

pub use attempts::*;
pub use backlog::*;
pub use dependencies::*;
pub use events::*;
pub use http::*;
pub use lanes::*;

const API: &[Service] = &[Service::Api];
const DISPATCHER: &[Service] = &[Service::Dispatcher];
const BOTH: &[Service] = &[Service::Api, Service::Dispatcher];

/// Every metric, in the order of the table.
pub static ALL: [Entry; 47] = [
    Entry::Gauge(&BUILD_INFO),
    Entry::Gauge(&READY),
    Entry::Counter(&EVENTS_PUBLISHED),
    Entry::Counter(&EVENTS_TAKEN_IN),
    Entry::Counter(&EVENTS_REJECTED),
    Entry::Counter(&REJECTED_STORED),
    Entry::Counter(&EVENTS_UNMATCHED),
    Entry::Counter(&EVENTS_DUPLICATE),
    Entry::Counter(&DELIVERIES_ENDED),
    Entry::Counter(&ATTEMPTS),
    Entry::Counter(&ATTEMPTS_BY_WEBHOOK),
    Entry::Histogram(&ATTEMPT_DURATION),
    Entry::Histogram(&EVENT_TO_FIRST_ATTEMPT),
    Entry::Histogram(&EVENT_TO_SUCCESS),
    Entry::Counter(&ATTEMPTS_RECORDED_PLAIN),
    Entry::Counter(&ATTEMPTS_NOT_RECORDED),
    Entry::Counter(&EGRESS_BLOCKED),
    Entry::Gauge(&EVENTS_QUEUED),
    Entry::Gauge(&DELIVERIES_PENDING),
    Entry::Gauge(&DELIVERIES_DUE),
    Entry::Gauge(&OLDEST_DUE),
    Entry::Gauge(&DRAIN),
    Entry::Gauge(&WEBHOOKS),
    Entry::Gauge(&DISPATCHERS),
    Entry::Gauge(&STATUS_EVENTS_WAITING),
    Entry::Gauge(&RETENTION_BEHIND),
    Entry::Gauge(&LANES),
    Entry::Gauge(&LANES_BUSY),
    Entry::Gauge(&LANES_LIMITED),
    Entry::Gauge(&LANE_DELIVERIES),
    Entry::Gauge(&LANE_BYTES),
    Entry::Gauge(&ATTEMPTS_IN_FLIGHT),
    Entry::Counter(&LEASES_LOST),
    Entry::Histogram(&CLAIMED),
    Entry::Counter(&CIRCUITS_OPENED),
    Entry::Counter(&CIRCUITS_CLOSED),
    Entry::Counter(&ROWS_REMOVED),
    Entry::Gauge(&BROKER_CONNECTED),
    Entry::Counter(&BROKER_RECONNECTS),
    Entry::Gauge(&BROKER_BLOCKED),
    Entry::Gauge(&POSTGRES_CONNECTIONS),
    Entry::Gauge(&POSTGRES_CONNECTIONS_MAX),
    Entry::Histogram(&POSTGRES_WAIT),
    Entry::Counter(&HTTP_REQUESTS),
    Entry::Histogram(&HTTP_DURATION),
    Entry::Counter(&REQUESTS_LIMITED),
    Entry::Counter(&SIGN_IN_FAILURES),
];

/// The metrics of a service, in the order of the table.
pub fn of(service: Service) -> impl Iterator<Item = Entry> {
    let entries = ALL.iter().copied();
    entries.filter(move |entry| entry.metric().services.contains(&service))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::metric::Kind;

    #[test]
    fn a_process_has_300_series_at_most() {
        for service in [Service::Api, Service::Dispatcher] {
            let metrics = of(service).map(Entry::metric);

            let lines = metrics.map(|m| m.combinations().len() * m.lines_per_series());
            let lines: usize = lines.sum();
            assert!(lines <= 300, "{service:?}: {lines}");
        }
    }

    #[test]
    fn names_are_unique_and_end_with_their_unit() {
        let names: HashSet<&str> = ALL.iter().map(|entry| entry.metric().name).collect();

        assert_eq!(names.len(), ALL.len());
        for metric in ALL.map(Entry::metric) {
            assert!(metric.name.starts_with("webhook_"), "{}", metric.name);
            let counts = metric.name.ends_with("_total");
            assert_eq!(counts, metric.kind == Kind::Counter, "{}", metric.name);
        }
    }
}
