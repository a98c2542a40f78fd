//! The costs of a run, part by part.

use std::collections::BTreeMap;

use super::stack::Stack;
use super::usage::{Group, Usage};

/// The costs of each part of a run, by name.
pub(crate) type Costs = BTreeMap<&'static str, Usage>;

/// Measures the costs of a run from the start on.
pub(crate) struct Meter {
    parts: [(&'static str, Group); 3],
    before: Vec<Usage>,
}

impl Meter {
    /// Starts to measure.
    pub(crate) fn start(stack: &Stack) -> Self {
        let parts = [
            ("postgres", stack.postgres.clone()),
            ("rabbitmq", stack.rabbitmq.clone()),
            ("receiver and load", Group::process(std::process::id())),
        ];
        let before = parts.iter().map(|(_, group)| group.usage()).collect();
        Self { parts, before }
    }

    /// The costs so far. `started`: processes that were started since, and still run.
    pub(crate) fn read(self, started: &[(&'static str, Group)]) -> Costs {
        let parts = self.parts.into_iter().zip(self.before);
        let mut costs: Costs = parts
            .map(|((name, group), before)| (name, group.usage().since(before)))
            .collect();
        costs.extend(started.iter().map(|(name, group)| (*name, group.usage())));
        costs
    }
}
