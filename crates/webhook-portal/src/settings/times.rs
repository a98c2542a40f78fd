//! The times in the general settings, with label and hint.

use std::time::Duration;

use webhook_domain::Retention;

use crate::duration_text::{in_words, read_millis};
use webhook_admin::retry_policies::millis;
use webhook_admin::settings::ValuesBody;

/// A section of the page, with its times.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) times: &'static [Time],
}

/// A time in the settings.
pub(super) struct Time {
    /// The field's name in the API.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    value: fn(&ValuesBody) -> &str,
}

impl Time {
    /// The saved value, as the API writes it.
    pub(super) fn of<'a>(&self, values: &'a ValuesBody) -> &'a str {
        (self.value)(values)
    }

    /// The saved value in words.
    pub(super) fn in_words(&self, values: &ValuesBody) -> String {
        read_millis(self.of(values)).map_or_else(String::new, in_words)
    }
}

/// The sections, in the order of the page.
pub(super) const GROUPS: [Group; 3] = [
    Group {
        title: "Data retention",
        about: "Older data is deleted. Pending deliveries stay until they have ended. Each time is 1 \
                to 3,650 days, such as 30d.",
        times: &[
            Time {
                name: "retention.events",
                label: "Events",
                hint: "After an event was received. Deleted events cannot be retried or replayed.",
                value: |values| &values.retention.events,
            },
            Time {
                name: "retention.deliveries",
                label: "Deliveries",
                hint: "With their attempts, after a delivery has ended. Cannot exceed Events.",
                value: |values| &values.retention.deliveries,
            },
            Time {
                name: "retention.bodies",
                label: "Requests and responses",
                hint: "Headers and bodies of each attempt. Cannot exceed Deliveries.",
                value: |values| &values.retention.bodies,
            },
            Time {
                name: "retention.audit",
                label: "Audit log",
                hint: "Changes, with author and time.",
                value: |values| &values.retention.audit,
            },
        ],
    },
    Group {
        title: "Disable failing webhooks",
        about: "A webhook whose every attempt fails is set Inactive after some time.",
        times: &[Time {
            name: "disable_after",
            label: "Set Inactive after",
            hint: "After this time without a success. Pending deliveries are paused. The platform's \
                   services are warned after half this time. 1h to 90d.",
            value: |values| &values.disable_after,
        }],
    },
    Group {
        title: "New Webhook Secrets",
        about: "Receivers need time to install a new Webhook Secret.",
        times: &[Time {
            name: "default_grace_period",
            label: "Grace period",
            hint: "How long the old secret stays valid after a new one is generated, by default. 0 to \
                   7d; with 0 it ends at once.",
            value: |values| &values.default_grace_period,
        }],
    },
];

/// Data with a shorter retention time than before.
pub(super) struct Shortened {
    /// The data in words, the first part of a sentence.
    pub(super) data: &'static str,
    before: Duration,
    after: Duration,
}

impl Shortened {
    /// The data with a shorter retention time, in the order of the page.
    pub(super) fn all(before: &Retention, after: &Retention) -> Vec<Self> {
        let all = [
            ("Events received", before.events, after.events),
            (
                "Deliveries, with their attempts, ended",
                before.deliveries,
                after.deliveries,
            ),
            (
                "Requests and responses sent",
                before.transcripts,
                after.transcripts,
            ),
            (
                "Entries of the audit log written",
                before.audit,
                after.audit,
            ),
        ];
        let shorter = all.into_iter().filter(|(_, before, after)| after < before);
        let shorter = shorter.map(|(data, before, after)| Self {
            data,
            before,
            after,
        });
        shorter.collect()
    }

    /// The retention time before the change.
    pub(super) fn before(&self) -> String {
        in_words(millis(self.before))
    }

    /// The retention time after the change.
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
            transcripts: before.transcripts / 7,
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
