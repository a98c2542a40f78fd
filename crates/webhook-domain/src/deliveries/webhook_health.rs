//! The health of a webhook: one word for how its deliveries go, the same word in the API, in lists and
//! on every page.
//!
//! The first row that holds decides:
//!
//! | health | the webhook |
//! | --- | --- |
//! | stopped | is Inactive: the platform set it Inactive, after a 410, after forbidden requests in a row, or after days of failure |
//! | inactive | is Inactive: an admin set it Inactive |
//! | paused | is Active, and its circuit is open: failures in a row reached the limit |
//! | failing | is Active, and has failed since the latest accepted attempt |
//! | held | is Active, and its receiver asked for no requests until a time to come |
//! | unknown | is Active, and no attempt has counted since it was created, activated, or given another URL |
//! | healthy | is Active, and none of the above holds |
//!
//! Attempts of test events do not count. A 429 that costs no attempt is no failure.

use chrono::{DateTime, Utc};

use crate::{Circuit, Failing, WebhookStatus, names::names};

names! {
    /// The health of a webhook. The head of the file has the table.
    WebhookHealth, "health" {
        /// Attempts fail, and requests are still sent.
        Failing = "failing",
        /// Attempts kept failing, so the circuit is open: only a probe is sent now and then.
        Paused = "paused",
        /// The receiver asked for no requests before a time.
        Held = "held",
        /// The platform set the webhook Inactive.
        Stopped = "stopped",
        /// No attempt has counted yet.
        Unknown = "unknown",
        /// Attempts are accepted.
        Healthy = "healthy",
        /// An admin set the webhook Inactive.
        Inactive = "inactive",
    }
}

/// The facts about a webhook that decide its health.
#[derive(Debug, Clone, Copy)]
pub struct HealthFacts<'a> {
    /// Active or Inactive.
    pub status: WebhookStatus,
    /// The platform's reason for setting the webhook Inactive. `None`: the platform did not.
    pub disabled_reason: Option<&'a str>,
    /// The failures since the latest accepted attempt.
    pub failing: Option<Failing>,
    /// The end of the hold, past or to come.
    pub held_until: Option<DateTime<Utc>>,
    /// The start of the latest attempt, attempts of test events left out.
    pub attempted_at: Option<DateTime<Utc>>,
    /// Since when attempts count: the latest activation or change of the target URL. `None`: since the
    /// creation.
    pub counts_since: Option<DateTime<Utc>>,
}

impl WebhookHealth {
    /// The health of a webhook at `now`.
    pub fn of(facts: &HealthFacts<'_>, now: DateTime<Utc>) -> Self {
        match (facts.status, facts.disabled_reason, facts.failing) {
            (WebhookStatus::Inactive, Some(_), _) => Self::Stopped,
            (WebhookStatus::Inactive, None, _) => Self::Inactive,
            (WebhookStatus::Active, _, Some(failing)) => match failing.circuit {
                Circuit::Open { .. } => Self::Paused,
                Circuit::Closed => Self::Failing,
            },
            (WebhookStatus::Active, _, None) if facts.held_until.is_some_and(|end| end > now) => {
                Self::Held
            }
            (WebhookStatus::Active, _, None) if facts.has_counted() => Self::Healthy,
            (WebhookStatus::Active, _, None) => Self::Unknown,
        }
    }

    /// Whether attempts fail now.
    pub fn is_failing(self) -> bool {
        self == Self::Failing || self == Self::Paused
    }

    /// The healths that a filter by this health finds: `failing` finds paused webhooks too, which fail
    /// worst.
    pub fn found(self) -> &'static [Self] {
        match self {
            Self::Failing => &[Self::Failing, Self::Paused],
            Self::Paused => &[Self::Paused],
            Self::Held => &[Self::Held],
            Self::Stopped => &[Self::Stopped],
            Self::Unknown => &[Self::Unknown],
            Self::Healthy => &[Self::Healthy],
            Self::Inactive => &[Self::Inactive],
        }
    }
}

impl HealthFacts<'_> {
    fn has_counted(&self) -> bool {
        let since = self.counts_since.unwrap_or(DateTime::<Utc>::MIN_UTC);
        self.attempted_at.is_some_and(|at| at >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use rstest::rstest;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn ago(seconds: i64) -> Option<DateTime<Utc>> {
        Some(NOW - TimeDelta::seconds(seconds))
    }

    fn sound() -> HealthFacts<'static> {
        HealthFacts {
            status: WebhookStatus::Active,
            disabled_reason: None,
            failing: None,
            held_until: None,
            attempted_at: ago(10),
            counts_since: None,
        }
    }

    fn failing(circuit: Circuit) -> Option<Failing> {
        Some(Failing {
            since: NOW,
            failures: 3,
            warned_at: None,
            forbidden: 0,
            circuit,
        })
    }

    fn open() -> Option<Failing> {
        failing(Circuit::Open {
            since: NOW,
            until: NOW,
            pauses: 1,
        })
    }

    #[rstest]
    #[case::attempts_are_accepted(sound(), WebhookHealth::Healthy)]
    #[case::no_attempt(HealthFacts { attempted_at: None, ..sound() }, WebhookHealth::Unknown)]
    #[case::activated_since(HealthFacts { counts_since: ago(5), ..sound() }, WebhookHealth::Unknown)]
    #[case::attempted_since(HealthFacts { counts_since: ago(20), ..sound() }, WebhookHealth::Healthy)]
    #[case::held(HealthFacts { held_until: ago(-1), ..sound() }, WebhookHealth::Held)]
    #[case::hold_over(HealthFacts { held_until: ago(0), ..sound() }, WebhookHealth::Healthy)]
    #[case::failing(HealthFacts { failing: failing(Circuit::Closed), ..sound() }, WebhookHealth::Failing)]
    #[case::failing_and_held(
        HealthFacts { failing: failing(Circuit::Closed), held_until: ago(-1), ..sound() },
        WebhookHealth::Failing
    )]
    #[case::circuit_open(HealthFacts { failing: open(), ..sound() }, WebhookHealth::Paused)]
    #[case::by_an_admin(
        HealthFacts { status: WebhookStatus::Inactive, failing: open(), ..sound() },
        WebhookHealth::Inactive
    )]
    #[case::by_the_platform(
        HealthFacts { status: WebhookStatus::Inactive, disabled_reason: Some("410"), ..sound() },
        WebhookHealth::Stopped
    )]
    fn the_first_row_that_holds_decides(
        #[case] facts: HealthFacts<'static>,
        #[case] health: WebhookHealth,
    ) {
        assert_eq!(WebhookHealth::of(&facts, NOW), health);
    }

    #[test]
    fn a_filter_by_failing_finds_whatever_fails_now() {
        let found = WebhookHealth::Failing.found();

        let failing = WebhookHealth::ALL.iter().filter(|one| one.is_failing());
        assert!(failing.eq(found));
        for health in WebhookHealth::ALL {
            assert!(health.found().contains(health));
        }
    }
}
