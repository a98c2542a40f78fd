//! The explanation why a webhook received an event or did not.

use crate::names::names;
use crate::{Environment, EventType};

names! {
    /// The outcome of an event for one webhook.
    EventOutcome, "outcome" {
        /// The receiver accepted the event.
        Delivered = "delivered",
        /// The delivery waits for its first attempt.
        Pending = "pending",
        /// Attempts failed, and the delivery will be retried.
        Retrying = "retrying",
        /// The delivery has failed.
        Failed = "failed",
        /// The delivery was cancelled.
        Cancelled = "cancelled",
        /// The webhook was for another environment.
        OtherEnvironment = "other_environment",
        /// The webhook did not select the type of the event.
        NotSubscribed = "not_subscribed",
        /// The webhook was Inactive.
        Inactive = "inactive",
        /// The webhook was created after the event's intake.
        CreatedLater = "created_later",
        /// The webhook was deleted before the event's intake.
        Deleted = "deleted",
        /// The event is a test for another webhook.
        TestEvent = "test_event",
        /// The records of the intake are older than the retention period.
        NotKept = "not_kept",
    }
}

/// A webhook as it was at the intake of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookThen {
    /// The webhook's name.
    pub name: String,
    /// The webhook's environment.
    pub environment: Environment,
    /// The selected patterns as text: a pattern of the past may not be in today's catalogue.
    pub patterns: Vec<String>,
    /// The reason for which the platform had set the webhook Inactive. `None`: the platform had
    /// not.
    pub disabled_reason: Option<String>,
}

/// The circumstances of an outcome, from which the reason is written.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The event's type.
    pub event_type: EventType,
    /// The event's environment.
    pub environment: Environment,
    /// The webhook at the event's intake. `None`: the history is no longer kept.
    pub webhook: Option<&'a WebhookThen>,
    /// Whether the webhook is Inactive today.
    pub is_inactive: bool,
    /// The number of recorded attempts.
    pub attempts: u32,
}

impl EventOutcome {
    /// The reason in a clause that names the values.
    pub fn reason(self, known: Circumstances<'_>) -> String {
        let attempts = attempts(known.attempts);
        match (self, known.webhook) {
            (Self::Delivered, _) => format!("the receiver accepted the event after {attempts}"),
            (Self::Pending, _) if known.is_inactive => UNTIL_ACTIVE.to_owned(),
            (Self::Pending, _) => "the delivery waits for its first attempt".to_owned(),
            (Self::Retrying, _) if known.is_inactive => {
                format!("the receiver did not accept the event in {attempts}, and {UNTIL_ACTIVE}")
            }
            (Self::Retrying, _) => {
                format!(
                    "the receiver did not accept the event in {attempts}; the delivery will be retried"
                )
            }
            (Self::Failed, _) => format!("the delivery was given up after {attempts}"),
            (Self::Cancelled, _) => format!("the delivery was cancelled after {attempts}"),
            (Self::OtherEnvironment, Some(webhook)) => format!(
                "the webhook was for {}; the event is of {}",
                webhook.environment, known.environment
            ),
            (Self::NotSubscribed, Some(webhook)) => {
                let wanted = webhook.patterns.join(", ");
                format!(
                    "the webhook had selected {wanted}, not {}",
                    known.event_type
                )
            }
            (Self::Inactive, Some(webhook)) => match &webhook.disabled_reason {
                Some(reason) => {
                    format!("the webhook was Inactive at that moment (disabled: {reason})")
                }
                None => "the webhook was Inactive at that moment".to_owned(),
            },
            (Self::CreatedLater, _) => {
                "the webhook was created after the event was taken in".to_owned()
            }
            (Self::Deleted, _) => {
                "the webhook was deleted before the event was taken in".to_owned()
            }
            (Self::TestEvent, _) => "the event is a test for another webhook".to_owned(),
            (Self::NotKept, Some(_)) => {
                "the event was owed to the webhook; the delivery is older than the retention period"
                    .to_owned()
            }
            (
                Self::NotKept | Self::OtherEnvironment | Self::NotSubscribed | Self::Inactive,
                None,
            ) => "the settings of the webhook at that moment are older than the retention period"
                .to_owned(),
        }
    }
}

/// The clause for a pending delivery of an Inactive webhook.
const UNTIL_ACTIVE: &str = "the delivery waits until the webhook is Active again";

fn attempts(count: u32) -> String {
    match count {
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn known(webhook: Option<&WebhookThen>, attempts: u32) -> Circumstances<'_> {
        Circumstances {
            event_type: EventType::LicenseActivated,
            environment: Environment::Production,
            webhook,
            is_inactive: false,
            attempts,
        }
    }

    #[rstest]
    #[case("delivered", "the receiver accepted the event after 2 attempts")]
    #[case("pending", "the delivery waits for its first attempt")]
    #[case(
        "retrying",
        "the receiver did not accept the event in 2 attempts; the delivery will be retried"
    )]
    #[case("failed", "the delivery was given up after 2 attempts")]
    #[case("cancelled", "the delivery was cancelled after 2 attempts")]
    #[case(
        "other_environment",
        "the webhook was for staging; the event is of production"
    )]
    #[case(
        "not_subscribed",
        "the webhook had selected contract.*, product.created, not license.activated"
    )]
    #[case(
        "inactive",
        "the webhook was Inactive at that moment (disabled: the receiver answered 410 Gone)"
    )]
    #[case(
        "created_later",
        "the webhook was created after the event was taken in"
    )]
    #[case("deleted", "the webhook was deleted before the event was taken in")]
    #[case("test_event", "the event is a test for another webhook")]
    #[case(
        "not_kept",
        "the event was owed to the webhook; the delivery is older than the retention period"
    )]
    fn a_reason_names_the_values(#[case] outcome: EventOutcome, #[case] reason: &str) {
        let webhook = WebhookThen {
            name: "CRM".to_owned(),
            environment: Environment::Staging,
            patterns: vec!["contract.*".to_owned(), "product.created".to_owned()],
            disabled_reason: Some("the receiver answered 410 Gone".to_owned()),
        };

        assert_eq!(outcome.reason(known(Some(&webhook), 2)), reason);
    }

    #[rstest]
    #[case(EventOutcome::Pending)]
    #[case(EventOutcome::Retrying)]
    fn what_waits_for_an_inactive_webhook_says_so(#[case] outcome: EventOutcome) {
        let waiting = Circumstances {
            is_inactive: true,
            ..known(None, 1)
        };

        assert!(outcome.reason(waiting).ends_with(UNTIL_ACTIVE));
    }

    #[test]
    fn what_a_webhook_was_may_not_be_known_any_more() {
        for outcome in EventOutcome::ALL {
            assert!(!outcome.reason(known(None, 0)).is_empty(), "{outcome}");
        }
        let unknown = EventOutcome::NotKept.reason(known(None, 0));
        assert_eq!(
            unknown,
            "the settings of the webhook at that moment are older than the retention period"
        );
    }
}
