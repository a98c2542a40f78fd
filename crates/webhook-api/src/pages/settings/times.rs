//! The times that owners set, each with what it is about.

use std::time::Duration;

use webhook_domain::Retention;

use crate::pages::span::{in_words, read_millis};
use webhook_admin::retry_policies::millis;
use webhook_admin::settings::ValuesBody;

/// Times that belong together.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) times: &'static [Time],
}

/// A time.
pub(super) struct Time {
    /// The API's name.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    value: fn(&ValuesBody) -> &str,
}

impl Time {
    /// What it is set to.
    pub(super) fn of<'a>(&self, values: &'a ValuesBody) -> &'a str {
        (self.value)(values)
    }

    /// The same in words.
    pub(super) fn in_words(&self, values: &ValuesBody) -> String {
        read_millis(self.of(values)).map_or_else(String::new, in_words)
    }
}

/// In the order of the page.
pub(super) const GROUPS: [Group; 3] = [
    Group {
        title: "How long things are kept",
        about: "What is older is deleted for good, soon after. What is pending stays until it has \
                ended. Each is 1 to 3,650 days, such as 30d.",
        times: &[
            Time {
                name: "retention.events",
                label: "Events",
                hint: "From when an event was taken in. Without it nothing can be sent again or \
                       replayed.",
                value: |values| &values.retention.events,
            },
            Time {
                name: "retention.deliveries",
                label: "Deliveries",
                hint: "With their attempts, from the end of a delivery. At most as long as events.",
                value: |values| &values.retention.deliveries,
            },
            Time {
                name: "retention.bodies",
                label: "Requests and answers",
                hint: "What was said on the wire, from each attempt on. At most as long as \
                       deliveries.",
                value: |values| &values.retention.bodies,
            },
            Time {
                name: "retention.audit",
                label: "Audit log",
                hint: "Who changed what, and when.",
                value: |values| &values.retention.audit,
            },
        ],
    },
    Group {
        title: "Webhooks that only fail",
        about: "A webhook that nobody repairs is not called for ever.",
        times: &[Time {
            name: "disable_after",
            label: "Set Inactive after",
            hint: "After this time of nothing but failure a webhook is set Inactive, and its \
                   deliveries wait. A warning comes after half of it. 1h to 90d.",
            value: |values| &values.disable_after,
        }],
    },
    Group {
        title: "Secrets that are rotated",
        about: "Receivers need time to take a new secret.",
        times: &[Time {
            name: "default_grace_period",
            label: "Grace period",
            hint: "For this time after a rotation the old secret signs as well, unless whoever \
                   rotates it says otherwise. 0 to 7d; with 0 it ends at once.",
            value: |values| &values.default_grace_period,
        }],
    },
];

/// Something that is to be kept for a shorter time than before.
pub(super) struct Shortened {
    /// In words, as the rest of the sentence.
    pub(super) what: &'static str,
    before: Duration,
    after: Duration,
}

impl Shortened {
    /// All of them.
    pub(super) fn all(before: &Retention, after: &Retention) -> Vec<Self> {
        let all = [
            ("Events that were taken in", before.events, after.events),
            (
                "Deliveries, with their attempts, that ended",
                before.deliveries,
                after.deliveries,
            ),
            (
                "Requests and answers that were sent",
                before.bodies,
                after.bodies,
            ),
            (
                "Entries of the audit log that were written",
                before.audit,
                after.audit,
            ),
        ];
        let shorter = all.into_iter().filter(|(_, before, after)| after < before);
        let shorter = shorter.map(|(what, before, after)| Self {
            what,
            before,
            after,
        });
        shorter.collect()
    }

    /// For how long it was kept.
    pub(super) fn before(&self) -> String {
        in_words(millis(self.before))
    }

    /// For how long it will be.
    pub(super) fn after(&self) -> String {
        in_words(millis(self.after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_kept_for_a_shorter_time_is_asked_about() {
        let before = Retention::default();
        let after = Retention {
            bodies: before.bodies / 7,
            audit: before.audit * 2,
            ..before.clone()
        };

        let shortened = Shortened::all(&before, &after);

        let told = shortened.iter().map(|it| (it.before(), it.after()));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [("7 days".to_owned(), "1 day".to_owned())]
        );
    }
}
