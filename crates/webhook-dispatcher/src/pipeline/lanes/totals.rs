//! The totals of a dispatcher's lanes, for the metrics.

use std::collections::BTreeMap;

/// The numbers of lanes, of deliveries in memory, and of lanes with a limit.
#[derive(Debug, Default)]
pub(crate) struct LaneTotals {
    /// Lanes.
    pub(crate) lanes: usize,
    /// Lanes with running attempts.
    pub(crate) busy: usize,
    /// Deliveries, waiting and running.
    pub(crate) deliveries: usize,
    /// Bytes of their bodies.
    pub(crate) bytes: usize,
    /// Running attempts.
    pub(crate) running: usize,
    /// Lanes with waiting deliveries, by the reason why the deliveries wait.
    pub(crate) limited: BTreeMap<LaneLimit, usize>,
}

/// Why deliveries wait in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LaneLimit {
    /// As many attempts run as the webhook may have at once.
    Concurrency,
    /// The receiver asked for less by 429 or 5xx.
    Slowed,
    /// The receiver asked for no requests.
    Hold,
    /// No attempt is possible for a while.
    Rest,
}

impl LaneLimit {
    pub(crate) const ALL: [Self; 4] = [Self::Concurrency, Self::Slowed, Self::Hold, Self::Rest];

    /// The value of the metric's label.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Slowed => "slowed",
            Self::Hold => "hold",
            Self::Rest => "rest",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use webhook_metrics::catalogue::LANES_LIMITED;

    #[test]
    fn the_limits_are_the_values_of_the_label_in_the_catalogue() {
        let metric = webhook_metrics::Entry::Gauge(&LANES_LIMITED).metric();

        let limits = LaneLimit::ALL.map(|limit| vec![limit.as_str()]);

        assert_eq!(metric.combinations(), limits);
    }
}
