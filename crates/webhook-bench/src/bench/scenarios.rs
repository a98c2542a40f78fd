//! What is measured, and what is to be reached.

use super::race::{Race, Who};
use super::report::{Row, Spread};
use super::stack::Stack;

/// How much of a scenario is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// To see that it runs.
    Quick,
    /// To be told.
    Full,
}

/// One line of the table.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What its figures count.
    pub(crate) unit: &'static str,
    /// What is to be reached, in words.
    pub(crate) bound: &'static str,
    /// The least ratio to what it is compared with.
    pub(crate) least: f64,
    pub(crate) work: Work,
}

/// The work of a scenario.
pub(crate) enum Work {
    /// The product and the bare loop in turn.
    Race(Race),
}

/// All of them, in the order of the table.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "drain",
        unit: "deliveries/s",
        bound: "≥ 0.75 of the bare loop",
        least: 0.75,
        work: Work::Race(Race {
            events: 60_000,
            webhooks: 1,
            live: false,
        }),
    },
    Scenario {
        name: "fan-out",
        unit: "deliveries/s",
        bound: "≥ 0.75 of the bare loop",
        least: 0.75,
        work: Work::Race(Race {
            events: 6_000,
            webhooks: 10,
            live: false,
        }),
    },
    Scenario {
        name: "live",
        unit: "deliveries/s",
        bound: "≥ 0.75 of the bare loop",
        least: 0.75,
        work: Work::Race(Race {
            events: 60_000,
            webhooks: 1,
            live: true,
        }),
    },
];

impl Work {
    /// Measures it.
    pub(crate) async fn run(&self, stack: &Stack, scale: Scale) -> anyhow::Result<Row> {
        match self {
            Self::Race(race) => race_in_turn(stack, *race, scale).await,
        }
    }
}

/// The product and the bare loop alternately, so that what the machine does meets both.
async fn race_in_turn(stack: &Stack, race: Race, scale: Scale) -> anyhow::Result<Row> {
    let (runs, race) = match scale {
        Scale::Quick => (
            1,
            Race {
                events: race.events / 20,
                ..race
            },
        ),
        Scale::Full => (5, race),
    };
    let (mut product, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        product.push(race.run(stack, Who::Product).await?);
        bare.push(race.run(stack, Who::Bare).await?);
    }
    let rates = |runs: &[super::race::Run]| Spread::of(runs.iter().map(|run| run.rate));
    Ok(Row {
        product: rates(&product),
        bare: Some(rates(&bare)),
        runs,
        usage: product.pop().map(|run| run.usage).unwrap_or_default(),
        bare_usage: bare.pop().map(|run| run.usage).unwrap_or_default(),
    })
}
