//! The event types that a webhook selects: one pattern or more.

use crate::{EventPattern, EventType};

/// Patterns in the order in which the admin chose them, without repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSelection(Vec<EventPattern>);

/// A selection that would hold no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must keep at least one event type")]
pub struct EmptySelection;

impl EventSelection {
    /// Selects every type that at least one of `patterns` covers. Repeated patterns are dropped.
    pub fn new(patterns: impl IntoIterator<Item = EventPattern>) -> Result<Self, EmptySelection> {
        let mut kept = Vec::new();
        for pattern in patterns {
            if !kept.contains(&pattern) {
                kept.push(pattern);
            }
        }
        if kept.is_empty() {
            return Err(EmptySelection);
        }
        Ok(Self(kept))
    }

    /// The patterns in the order in which they were chosen.
    pub fn patterns(&self) -> &[EventPattern] {
        &self.0
    }

    /// The selected types, each once, in the order of the catalogue.
    pub fn types(&self) -> impl Iterator<Item = EventType> {
        let all = EventType::ALL.iter().copied();
        all.filter(|event_type| self.selects(*event_type))
    }

    /// This selection extended by `more`. Patterns that are covered already are not added.
    #[must_use]
    pub fn with(&self, more: &Self) -> Self {
        let mut patterns = self.0.clone();
        for pattern in &more.0 {
            if !pattern.types().all(|event_type| self.selects(event_type)) {
                // Patterns that the new pattern covers completely would be listed for nothing.
                patterns.retain(|kept| !kept.types().all(|t| pattern.types().any(|p| p == t)));
                patterns.push(*pattern);
            }
        }
        Self(patterns)
    }

    /// This selection reduced by the types of `less`. A pattern that loses some of its types is
    /// replaced by the types that are left.
    pub fn without(&self, less: &Self) -> Result<Self, EmptySelection> {
        let kept = self.0.iter().flat_map(|pattern| {
            if pattern.types().any(|event_type| less.selects(event_type)) {
                let left = pattern.types().filter(|t| !less.selects(*t));
                left.map(EventPattern::One).collect()
            } else {
                vec![*pattern]
            }
        });
        Self::new(kept)
    }

    fn selects(&self, event_type: EventType) -> bool {
        let mut patterns = self.0.iter();
        patterns.any(|pattern| pattern.types().any(|t| t == event_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn select(patterns: &[&str]) -> EventSelection {
        let patterns = patterns.iter().map(|p| p.parse().expect("a pattern"));
        EventSelection::new(patterns).expect("not empty")
    }

    fn texts(selection: &EventSelection) -> Vec<String> {
        selection.0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn repeats_are_dropped_and_nothing_is_no_selection() {
        assert_eq!(
            texts(&select(&["license.*", "*", "license.*"])),
            ["license.*", "*"]
        );
        assert_eq!(EventSelection::new([]), Err(EmptySelection));
    }

    #[test]
    fn adding_a_group_takes_the_place_of_its_types() {
        let selection = select(&["telemetry.flagged", "license.created"]);

        let more = selection.with(&select(&["telemetry.*", "license.created"]));

        assert_eq!(texts(&more), ["license.created", "telemetry.*"]);
    }

    #[test]
    fn removing_a_type_writes_out_what_is_left_of_its_group() {
        let selection = select(&["telemetry.*", "license.created"]);

        let less = selection.without(&select(&["telemetry.flagged"]));

        let less = less.expect("something is left");
        assert_eq!(texts(&less), ["telemetry.received", "license.created"]);
        assert_eq!(selection.without(&select(&["*"])), Err(EmptySelection));
    }

    fn any_selection() -> impl Strategy<Value = EventSelection> {
        let one = prop_oneof![
            Just(EventPattern::All),
            Just(EventPattern::Group("license")),
            Just(EventPattern::Group("contract")),
            (0..EventType::ALL.len()).prop_map(|i| EventPattern::One(EventType::ALL[i])),
        ];
        proptest::collection::vec(one, 1..6)
            .prop_map(|patterns| EventSelection::new(patterns).expect("not empty"))
    }

    proptest! {
        #[test]
        fn adding_and_removing_are_those_of_sets(one in any_selection(), other in any_selection()) {
            let types = |s: &EventSelection| s.types().collect::<BTreeSet<_>>();
            let (a, b) = (types(&one), types(&other));

            prop_assert_eq!(types(&one.with(&other)), &a | &b);
            let left = one.without(&other).map(|s| types(&s)).unwrap_or_default();
            prop_assert_eq!(left, &a - &b);
        }
    }

    #[test]
    fn patterns_are_kept_in_the_order_of_the_choice() {
        let selection = select(&["telemetry.*", "license.created", "telemetry.*"]);

        let [first, second] = selection.patterns() else {
            panic!("the repeat is dropped: {selection:?}");
        };

        assert_eq!(*first, EventPattern::Group("telemetry"));
        assert_eq!(*second, EventPattern::One(EventType::LicenseCreated));
    }
}
