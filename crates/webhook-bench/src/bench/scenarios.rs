//! The scenarios, in the order of the table.

use super::measure::Measure;
use super::stack::Stack;
use scale::Scale;

mod footprint;
mod ingest;
mod isolation;
mod latency;
mod long_log;
mod many_subscribers;
mod many_webhooks;
mod races;
mod retries;
pub(crate) mod scale;
mod soak;
mod template;
mod upgrade;
mod workers;

/// A scenario, printed as a line of the table or as several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    Drain,
    FanOut,
    Live,
    Latency,
    Isolation,
    Retries,
    Template,
    Ingest,
    ManyWebhooks,
    ManySubscribers,
    LongLog,
    Upgrade,
    Soak,
    Workers,
    Footprint,
}

impl Scenario {
    /// Every scenario, in the order of the table.
    pub(crate) const ALL: [Self; 15] = [
        Self::Drain,
        Self::FanOut,
        Self::Live,
        Self::Latency,
        Self::Isolation,
        Self::Retries,
        Self::Template,
        Self::Ingest,
        Self::ManyWebhooks,
        Self::ManySubscribers,
        Self::LongLog,
        Self::Upgrade,
        Self::Soak,
        Self::Workers,
        Self::Footprint,
    ];

    /// The name in the table, and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::FanOut => "fan-out",
            Self::Live => "live",
            Self::Latency => "latency",
            Self::Isolation => "isolation",
            Self::Retries => "retries",
            Self::Template => "template",
            Self::Ingest => "ingest",
            Self::ManyWebhooks => "many webhooks",
            Self::ManySubscribers => "many subscribers",
            Self::LongLog => "long log",
            Self::Upgrade => "upgrade",
            Self::Soak => "soak",
            Self::Workers => "workers",
            Self::Footprint => "footprint",
        }
    }

    /// Runs the scenario and returns the lines of the table.
    pub(crate) async fn measure(self, stack: &Stack, scale: Scale) -> anyhow::Result<Vec<Measure>> {
        let name = self.name();
        match self {
            Self::Drain => races::drain(name, stack, scale).await,
            Self::FanOut => races::fan_out(name, stack, scale).await,
            Self::Live => races::live(name, stack, scale).await,
            Self::Latency => latency::measure(name, stack, scale).await,
            Self::Isolation => isolation::measure(name, stack, scale).await,
            Self::Retries => retries::measure(name, stack, scale).await,
            Self::Template => template::measure(name, stack, scale).await,
            Self::Ingest => ingest::measure(name, stack, scale).await,
            Self::ManyWebhooks => many_webhooks::measure(name, stack, scale).await,
            Self::ManySubscribers => many_subscribers::measure(name, stack, scale).await,
            Self::LongLog => long_log::measure(name, stack, scale).await,
            Self::Upgrade => upgrade::measure(name, stack, scale).await,
            Self::Soak => soak::measure(name, stack, scale).await,
            Self::Workers => workers::measure(name, stack, scale).await,
            Self::Footprint => footprint::measure(name, stack, scale).await,
        }
    }
}
