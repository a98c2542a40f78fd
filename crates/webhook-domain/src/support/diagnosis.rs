//! The diagnosis of a webhook: a finding with advice for each subject, such as status, backlog and URL.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Circuit, DispatcherTrouble, Environment, EventType, Failing, FailureClass, UrlReport,
    WebhookHealth, WebhookSettings, WebhookStatus, advice,
    names::names,
    support::{advice::failure_in_words, format_check::check_format},
};

names! {
    /// The severity of a finding.
    Severity, "severity" {
        /// All is well.
        Ok = "ok",
        /// Nothing is wrong, and nothing is proved yet, as for a new webhook.
        Note = "note",
        /// Perhaps intended by the admin, perhaps the start of a problem.
        Warning = "warning",
        /// The webhook receives no events, or too few.
        Problem = "problem",
    }
}

names! {
    /// The subject of a finding.
    Check, "check" {
        /// Whether the webhook is Active, held, or has an open circuit.
        Status = "status",
        /// The latest events of the selected types, in the webhook's environment and in others.
        Subscriptions = "subscriptions",
        /// The number of pending deliveries.
        Backlog = "backlog",
        /// The responses of the last day.
        Answers = "answers",
        /// DNS, connection and TLS of the target URL at this moment.
        Url = "url",
        /// Whether the receiver behind the target URL takes the format of the requests.
        Format = "format",
        /// Messages of the last day that were not events.
        RejectedMessages = "rejected_messages",
        /// Whether dispatchers run and record results.
        Dispatchers = "dispatchers",
    }
}

/// A finding of a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The checked subject.
    pub check: Check,
    /// The severity.
    pub severity: Severity,
    /// The finding, in a plain sentence.
    pub message: String,
    /// The advice. `None`: nothing needs to be done.
    pub advice: Option<String>,
}

/// The facts about a webhook, input of a diagnosis.
#[derive(Debug)]
pub struct WebhookFacts<'a> {
    /// The settings of the webhook.
    pub settings: &'a WebhookSettings,
    /// The platform's reason for setting the webhook Inactive. `None`: the platform did not.
    pub disabled_reason: Option<&'a str>,
    /// The health of the webhook.
    pub health: WebhookHealth,
    /// The state of the circuit. `None`: the webhook is not failing.
    pub failing: Option<Failing>,
    /// The end of the hold. `None`: no hold.
    pub held_until: Option<DateTime<Utc>>,
    /// The latest event of each selected type in each environment that has one.
    pub latest: &'a [(EventType, Environment, DateTime<Utc>)],
    /// The number of pending deliveries.
    pub pending: usize,
    /// The latest attempt, tests left out: time, status of the response, and class of the failure.
    pub last_attempt: Option<(DateTime<Utc>, Option<u16>, Option<FailureClass>)>,
    /// The requests of the last day, tests left out, and how many of them failed.
    pub attempts: (i64, i64),
    /// The dispatcher's report on the target URL. `None`: no dispatcher reported in time.
    pub url: Option<&'a UrlReport>,
    /// The number of messages of the last day that were not events.
    pub rejected: i64,
    /// The trouble of dispatchers. `None`: dispatchers run and record.
    pub dispatchers: Option<DispatcherTrouble>,
}

/// Judges the facts: one finding per [`Check`], in the order of [`Check::ALL`].
pub fn diagnose(facts: &WebhookFacts<'_>, now: DateTime<Utc>) -> Vec<Finding> {
    vec![
        status(facts, now),
        subscriptions(facts, now),
        backlog(facts),
        answers(facts),
        url(facts, now),
        format(facts),
        rejected(facts),
        dispatchers(facts),
    ]
}

fn found(check: Check, severity: Severity, message: String, advice: Option<&str>) -> Finding {
    Finding {
        check,
        severity,
        message,
        advice: advice.map(ToOwned::to_owned),
    }
}

fn status(facts: &WebhookFacts<'_>, now: DateTime<Utc>) -> Finding {
    let of = |severity, message, advice| found(Check::Status, severity, message, advice);
    if facts.settings.status == WebhookStatus::Inactive {
        let reason = facts
            .disabled_reason
            .unwrap_or("an admin set the webhook Inactive");
        return of(
            Severity::Problem,
            format!("The webhook is Inactive and receives no events: {reason}."),
            Some("Activate the webhook, then replay the missed events."),
        );
    }
    // A hold comes before the circuit: while it lasts, not even a probe is sent.
    if let Some(until) = facts.held_until.filter(|until| *until > now) {
        return of(
            Severity::Problem,
            format!(
                "The receiver asked for no requests until {} (Retry-After). Deliveries wait until \
                 then, and lose no attempt.",
                until.format("%Y-%m-%d %H:%M:%S UTC")
            ),
            Some(
                "Wait, or send a test event: a test event is sent at once, and an accepted test \
                 event ends the wait. A retry of a delivery ends the wait, too.",
            ),
        );
    }
    attempts(facts)
}

/// The status of an Active webhook that may be sent requests, by the attempts of its deliveries.
fn attempts(facts: &WebhookFacts<'_>) -> Finding {
    let of = |severity, message, advice| found(Check::Status, severity, message, advice);
    match facts.failing {
        Some(Failing {
            circuit: Circuit::Open { until, .. },
            failures,
            ..
        }) => of(
            Severity::Problem,
            format!(
                "{failures} attempts in a row failed. The circuit is open: the next probe is sent \
                 after {}.",
                until.format("%Y-%m-%d %H:%M:%S UTC")
            ),
            Some("Repair the receiver: after one accepted request all deliveries continue."),
        ),
        Some(failing) => of(
            Severity::Warning,
            match failing.failures {
                1 => "The webhook is Active. The last attempt failed.".to_owned(),
                count => format!("The webhook is Active. The last {count} attempts failed."),
            },
            Some("Read the finding about the answers."),
        ),
        None if facts.health == WebhookHealth::Unknown => of(
            Severity::Note,
            "The webhook is Active. No event was sent since the webhook was created, activated, or given \
             another URL."
                .to_owned(),
            Some("Send a test event to check the receiver."),
        ),
        None => {
            let message = "The webhook is Active and healthy.".to_owned();
            of(Severity::Ok, message, None)
        }
    }
}

fn subscriptions(facts: &WebhookFacts<'_>, now: DateTime<Utc>) -> Finding {
    let of = |severity, message, advice| found(Check::Subscriptions, severity, message, advice);
    let own = facts.settings.environment;
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        facts.latest.iter().partition(|(_, at, _)| *at == own);
    let newest = |events: &[&(EventType, Environment, DateTime<Utc>)]| {
        events.iter().copied().copied().max_by_key(|(_, _, at)| *at)
    };
    match (newest(&here), newest(&elsewhere)) {
        // A week without an event is normal for rare types only.
        (Some((event_type, _, at)), _) if now - at < TimeDelta::days(7) => of(
            Severity::Ok,
            format!(
                "Events of the selected types arrive in {own}; the latest is {event_type} at {}.",
                at.format("%Y-%m-%d %H:%M:%S UTC")
            ),
            None,
        ),
        (Some((event_type, _, at)), _) => of(
            Severity::Warning,
            format!(
                "No event of the selected types arrived in {own} for a week; the latest is \
                 {event_type} at {}.",
                at.format("%Y-%m-%d %H:%M:%S UTC")
            ),
            Some(
                "Check that the platform's services still publish, and that the right event types are \
                 selected.",
            ),
        ),
        (None, Some((event_type, environment, _))) => of(
            Severity::Problem,
            format!(
                "No event of the selected types is known in {own}, but {environment} has some, for \
                 example {event_type}."
            ),
            Some("If the webhook is meant for the other environment, create the webhook there."),
        ),
        (None, None) => of(
            Severity::Warning,
            "No event of the selected types was received yet, in any environment.".to_owned(),
            Some("Select more event types, or send a test event to check the receiver."),
        ),
    }
}

fn backlog(facts: &WebhookFacts<'_>) -> Finding {
    let of = |severity, message, advice| found(Check::Backlog, severity, message, advice);
    match facts.pending {
        0 => of(Severity::Ok, "No delivery is pending.".to_owned(), None),
        1 => of(Severity::Ok, "1 delivery is pending.".to_owned(), None),
        count @ 2..=1_000 => of(
            Severity::Ok,
            format!("{count} deliveries are pending."),
            None,
        ),
        many => of(
            Severity::Warning,
            format!(
                "{many} deliveries or more are pending: events arrive faster than the receiver \
                 accepts them."
            ),
            Some(
                "Let the receiver answer sooner, or give the webhook more concurrency or a higher \
                 rate limit.",
            ),
        ),
    }
}

fn answers(facts: &WebhookFacts<'_>) -> Finding {
    let of = |severity, message, advice| found(Check::Answers, severity, message, advice);
    let (attempts, failed) = facts.attempts;
    let lately = format!("{failed} of {attempts} requests of the last day failed");
    match facts.last_attempt {
        None => of(
            Severity::Note,
            "No event was sent yet. Test events do not count.".to_owned(),
            Some("Send a test event to check the receiver."),
        ),
        Some((at, status, Some(class))) => of(
            Severity::Problem,
            format!(
                "The latest request, at {}, failed: {}. {lately}.",
                at.format("%Y-%m-%d %H:%M:%S UTC"),
                failure_in_words(class, status),
            ),
            Some(advice(class, status)),
        ),
        Some((at, _, None)) => of(
            if failed > 0 {
                Severity::Warning
            } else {
                Severity::Ok
            },
            format!(
                "The latest request, at {}, was accepted. {lately}.",
                at.format("%Y-%m-%d %H:%M:%S UTC")
            ),
            None,
        ),
    }
}

fn url(facts: &WebhookFacts<'_>, now: DateTime<Utc>) -> Finding {
    let of = |severity, message, advice| found(Check::Url, severity, message, advice);
    let Some(report) = facts.url else {
        return of(
            Severity::Warning,
            "No dispatcher checked the URL in time.".to_owned(),
            Some("Check that a dispatcher runs: without a dispatcher no event is delivered."),
        );
    };
    if let Some(failure) = &report.failure {
        return of(
            Severity::Problem,
            format!("A request would fail now: {}.", failure.detail),
            Some(advice(failure.class, None)),
        );
    }
    let addresses: Vec<String> = report
        .addresses
        .iter()
        .map(|checked| checked.address.to_string())
        .collect();
    let reached = format!("The host is {} and can be reached", addresses.join(", "));
    if let Some(dead) = dead_addresses(report) {
        return of(
            Severity::Warning,
            format!(
                "{reached}, but {dead} accepted no connection; attempts go to the other addresses."
            ),
            Some("Remove the address from the DNS, or let the address accept connections."),
        );
    }
    let Some(tls) = &report.tls else {
        return of(Severity::Ok, format!("{reached}, without TLS."), None);
    };
    match tls.not_after {
        // Automatic renewal happens 30 days before the end: with 14 days left, renewal has failed.
        Some(end) if end - now < TimeDelta::days(14) => of(
            Severity::Warning,
            format!(
                "{reached}; the certificate expires on {}.",
                end.format("%Y-%m-%d")
            ),
            Some("Renew the certificate."),
        ),
        Some(end) => of(
            Severity::Ok,
            format!(
                "{reached}; the certificate is valid until {}.",
                end.format("%Y-%m-%d")
            ),
            None,
        ),
        None => of(
            Severity::Ok,
            format!("{reached}; the certificate is accepted."),
            None,
        ),
    }
}

/// The addresses of the host that accepted no connection. `None`: all did.
fn dead_addresses(report: &UrlReport) -> Option<String> {
    let addresses = report.addresses.iter();
    let dead: Vec<String> = addresses
        .filter(|checked| checked.takes_no_connection)
        .map(|checked| checked.address.to_string())
        .collect();
    (!dead.is_empty()).then(|| dead.join(", "))
}

fn format(facts: &WebhookFacts<'_>) -> Finding {
    let (requests, advice) = check_format(facts.settings);
    let severity = advice.map_or(Severity::Ok, |_| Severity::Warning);
    found(Check::Format, severity, requests.to_owned(), advice)
}

fn rejected(facts: &WebhookFacts<'_>) -> Finding {
    let of = |severity, message, advice| found(Check::RejectedMessages, severity, message, advice);
    match facts.rejected {
        0 => of(
            Severity::Ok,
            "No published message was rejected in the last 24 hours.".to_owned(),
            None,
        ),
        count => of(
            Severity::Warning,
            if count == 1 {
                "1 published message was rejected in the last 24 hours.".to_owned()
            } else {
                format!("{count} published messages were rejected in the last 24 hours.")
            },
            Some("Read the rejected messages: the missed events may be among them."),
        ),
    }
}

fn dispatchers(facts: &WebhookFacts<'_>) -> Finding {
    let of = |severity, message, advice| found(Check::Dispatchers, severity, message, advice);
    match facts.dispatchers {
        None => {
            let message = "Dispatchers run and record results.".to_owned();
            of(Severity::Ok, message, None)
        }
        Some(trouble) => {
            let since = trouble.since();
            let since = since.map(|at| format!(", since {}", at.format("%F %T UTC")));
            let since = since.unwrap_or_default();
            let message = format!("{}{since}", trouble.message());
            of(Severity::Problem, message, Some(trouble.advice()))
        }
    }
}

#[cfg(test)]
mod tests;
