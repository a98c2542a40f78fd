//! The selected events as checkboxes: one for all, one per group, one per type.

use webhook_domain::{EventPattern, EventType};

/// The checked patterns, as the API takes them.
pub(crate) struct EventChoice(Vec<String>);

/// The checkbox of a group.
pub(crate) struct GroupBox {
    pub(crate) name: &'static str,
    /// Whether the group's own checkbox is checked.
    pub(crate) whole: bool,
    pub(crate) types: Vec<TypeBox>,
}

/// The checkbox of a type.
pub(crate) struct TypeBox {
    pub(crate) event_type: EventType,
    /// Whether the type's own checkbox is checked.
    pub(crate) chosen: bool,
}

impl EventChoice {
    /// The checkboxes of stored patterns.
    pub(super) fn of(patterns: &[EventPattern]) -> Self {
        Self(patterns.iter().map(ToString::to_string).collect())
    }

    /// The checkboxes that a browser sent. A checked type within a checked group is dropped: a script
    /// checks the types of a group too.
    pub(super) fn sent<'a>(boxes: impl Iterator<Item = &'a str>) -> Self {
        let boxes: Vec<&str> = boxes.collect();
        let within = |wide: &str| boxes.contains(&wide);
        let needed = boxes.iter().filter(|name| match name.split_once('.') {
            _ if **name == "*" => true,
            _ if within("*") => false,
            Some((_, "*")) | None => true,
            Some((group, _)) => !within(&format!("{group}.*")),
        });
        Self(needed.map(|name| (*name).to_owned()).collect())
    }

    /// Whether the checkbox for all events is checked.
    pub(crate) fn all(&self) -> bool {
        self.has("*")
    }

    /// The groups in the order of the catalogue.
    pub(crate) fn groups(&self) -> Vec<GroupBox> {
        let mut groups: Vec<GroupBox> = Vec::new();
        for event_type in EventType::ALL {
            let name = event_type.group();
            if groups.last().is_none_or(|group| group.name != name) {
                groups.push(GroupBox {
                    name,
                    whole: self.has(&format!("{name}.*")),
                    types: Vec::new(),
                });
            }
            let chosen = self.has(event_type.as_str());
            let group = groups.last_mut().expect("one was just put there");
            group.types.push(TypeBox {
                event_type: *event_type,
                chosen,
            });
        }
        groups
    }

    /// The selected types.
    pub(crate) fn types(&self) -> Vec<EventType> {
        let all = self.all();
        let groups = self.groups();
        let types = groups.iter().flat_map(|group| {
            let chosen = move |one: &&TypeBox| all || group.whole || one.chosen;
            group.types.iter().filter(chosen)
        });
        types.map(|one| one.event_type).collect()
    }

    /// The patterns for the API.
    pub(super) fn patterns(&self) -> &[String] {
        &self.0
    }

    fn has(&self, pattern: &str) -> bool {
        self.0.iter().any(|chosen| chosen == pattern)
    }
}

impl GroupBox {
    /// How many types of the group are selected. `all`: whether all events are.
    pub(crate) fn chosen(&self, all: &bool) -> usize {
        if *all || self.whole {
            return self.types.len();
        }
        self.types.iter().filter(|one| one.chosen).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(boxes: &[&str]) -> EventChoice {
        EventChoice::sent(boxes.iter().copied())
    }

    #[test]
    fn a_box_within_a_checked_one_is_not_sent_on() {
        let some = sent(&["license.*", "license.created", "contract.created", "moon"]);
        let all = sent(&["*", "license.*", "license.created"]);

        assert_eq!(some.patterns(), ["license.*", "contract.created", "moon"]);
        assert_eq!(all.patterns(), ["*"]);
    }

    #[test]
    fn the_selected_types_are_those_of_checked_groups_and_boxes() {
        let none = sent(&[]).types();
        let some = sent(&["contract.*", "license.created"]).types();
        let all = sent(&["*"]).types();

        assert_eq!((none.len(), all.len()), (0, EventType::ALL.len()));
        assert_eq!(some.len(), 5);
        assert_eq!(some[0], EventType::LicenseCreated);
    }

    #[test]
    fn a_group_counts_what_is_chosen_of_it() {
        let choice = sent(&["license.*", "contract.created", "contract.deleted"]);

        let counts = choice
            .groups()
            .iter()
            .map(|group| group.chosen(&false))
            .collect::<Vec<_>>();
        let of_all = choice.groups()[1].chosen(&true);

        assert_eq!((counts, of_all), (vec![9, 0, 0, 2, 0], 3));
    }
}
