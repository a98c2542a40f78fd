//! What a run costs, part by part.

use std::collections::BTreeMap;

use super::stack::Stack;
use super::usage::{Group, Usage};

/// What each part of a run cost, by its name.
pub(crate) type Costs = BTreeMap<&'static str, Usage>;

/// Reads what a run costs, from its start.
pub(crate) struct Meter {
    parts: [(&'static str, Group); 3],
    before: Vec<Usage>,
}

impl Meter {
    /// Begins to count.
    pub(crate) fn start(stack: &Stack) -> Self {
        let parts = [
            ("postgres", stack.postgres.clone()),
            ("rabbitmq", stack.rabbitmq.clone()),
            ("receiver and load", Group::process(std::process::id())),
        ];
        let before = parts.iter().map(|(_, group)| group.usage()).collect();
        Self { parts, before }
    }

    /// What it cost so far. `started`: what was started since, and still runs.
    pub(crate) fn read(self, started: &[(&'static str, Group)]) -> Costs {
        let parts = self.parts.into_iter().zip(self.before);
        let mut costs: Costs = parts
            .map(|((name, group), before)| (name, group.usage().since(before)))
            .collect();
        costs.extend(started.iter().map(|(name, group)| (*name, group.usage())));
        costs
    }
}
