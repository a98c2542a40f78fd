//! Patterns by which a webhook names event types.

use std::str::FromStr;

use super::event_type::GROUPS;
use crate::{EventType, UnknownName};

/// A pattern of event types: one type, a whole group (`license.*`) or all types (`*`).
///
/// A pattern covers the types of the catalogue of today: subscriptions are stored type by type when
/// the webhook is saved, so a type added later is not sent to old webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventPattern {
    /// `*`
    All,
    /// `license.*`: every type of the group `license`.
    Group(&'static str),
    /// `license.activated`
    One(EventType),
}

impl EventPattern {
    /// The types that the pattern covers, in the order of the catalogue.
    pub fn types(self) -> impl Iterator<Item = EventType> {
        let all = EventType::ALL.iter().copied();
        all.filter(move |event_type| match self {
            Self::All => true,
            Self::Group(group) => event_type.group() == group,
            Self::One(one) => *event_type == one,
        })
    }
}

impl std::fmt::Display for EventPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Group(group) => write!(f, "{group}.*"),
            Self::One(event_type) => f.write_str(event_type.as_str()),
        }
    }
}

impl FromStr for EventPattern {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self::All);
        }
        if let Some(given) = text.strip_suffix(".*") {
            let known = EventType::ALL.iter().find(|t| t.group() == given);
            return known
                .map(|t| Self::Group(t.group()))
                .ok_or_else(|| UnknownName::new("event group", given, GROUPS));
        }
        text.parse().map(Self::One)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_pattern_stands_for_the_types_of_its_group() {
        let pattern: EventPattern = "telemetry.*".parse().expect("a known group");

        assert_eq!(
            pattern.types().collect::<Vec<_>>(),
            [EventType::TelemetryReceived, EventType::TelemetryFlagged]
        );
        assert_eq!(EventPattern::All.types().count(), 21);
    }

    #[test]
    fn unknown_patterns_are_refused_with_what_is_known() {
        for text in ["", "license", "licence.*", "license.activate", "*.created"] {
            assert!(text.parse::<EventPattern>().is_err(), "{text}");
        }
    }
}
