//! Why a webhook may not receive events: what the machine can check, as findings with what to do.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Circuit, Environment, EventType, Failing, FailureClass, UrlReport, WebhookSettings,
    WebhookStatus, advice, names::names,
};

names! {
    /// How serious a finding is.
    Severity, "severity" {
        /// As it should be.
        Ok = "ok",
        /// It may be meant so, or become a problem.
        Warning = "warning",
        /// It keeps events away.
        Problem = "problem",
    }
}

names! {
    /// What was looked at.
    Check, "check" {
        /// Whether it is Active, and whether its circuit is open.
        Status = "status",
        /// What arrived lately of what it subscribed to, in its environment.
        Subscriptions = "subscriptions",
        /// What waits for it.
        Backlog = "backlog",
        /// What the receiver answered lately.
        Answers = "answers",
        /// DNS, connection and TLS of its URL now.
        Url = "url",
        /// Messages that could not be an event.
        RejectedMessages = "rejected_messages",
    }
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How serious it is.
    pub severity: Severity,
    /// What was found, in a plain sentence.
    pub message: String,
    /// What to do about it, if anything.
    pub advice: Option<String>,
}

/// What is known of a webhook.
#[derive(Debug)]
pub struct WebhookFacts<'a> {
    /// How it is set.
    pub settings: &'a WebhookSettings,
    /// Why the platform set it Inactive, if it did.
    pub disabled_reason: Option<&'a str>,
    /// What its attempts in a row say, if it is failing.
    pub failing: Option<Failing>,
    /// Until when its receiver asked to get no requests, if it did.
    pub held_until: Option<DateTime<Utc>>,
    /// The latest event of each type that it wants, for each environment that had one.
    pub latest: &'a [(EventType, Environment, DateTime<Utc>)],
    /// How many deliveries are pending.
    pub pending: usize,
    /// Its latest attempt: when, the status of its answer, and why it failed if it did.
    pub last_attempt: Option<(DateTime<Utc>, Option<u16>, Option<FailureClass>)>,
    /// Requests of the last day, and how many of them failed.
    pub attempts: (i64, i64),
    /// What a dispatcher found at its URL; `None`: none did in time.
    pub url: Option<&'a UrlReport>,
    /// Messages of the last day that could not be an event.
    pub rejected: i64,
}

/// What keeps, or may keep, events from a webhook: a finding for each thing that was looked at.
pub fn diagnose(facts: &WebhookFacts<'_>, now: DateTime<Utc>) -> Vec<Finding> {
    vec![
        status(facts, now),
        subscriptions(facts, now),
        backlog(facts),
        answers(facts),
        url(facts, now),
        rejected(facts),
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
        let reason = facts.disabled_reason.unwrap_or("an admin set it so");
        return of(
            Severity::Problem,
            format!("It is Inactive and gets nothing: {reason}."),
            Some("Activate it; then replay what it missed, for the time in which it was Inactive."),
        );
    }
    if let Some(until) = facts.held_until.filter(|until| *until > now) {
        return of(
            Severity::Problem,
            format!(
                "The receiver asked for no requests until {} (Retry-After): deliveries wait until \
                 then, and lose no attempt.",
                until.format("%Y-%m-%d %H:%M:%S UTC")
            ),
            Some(
                "Wait; or send a test event, which goes at once: if the receiver accepts it, the \
                 others follow. To retry a delivery ends the wait, too.",
            ),
        );
    }
    match facts.failing {
        Some(Failing {
            circuit: Circuit::Open { until, .. },
            failures,
            ..
        }) => of(
            Severity::Problem,
            format!(
                "It failed {failures} times in a row, so it gets only one request now and then: \
                 the next one after {}.",
                until.format("%Y-%m-%d %H:%M:%S UTC")
            ),
            Some("Mend the receiver: the first accepted request lets the others follow."),
        ),
        Some(failing) => of(
            Severity::Warning,
            format!(
                "It is Active, and failed {} times in a row.",
                failing.failures
            ),
            Some("See what was answered, under `answers`."),
        ),
        None => of(Severity::Ok, "It is Active and healthy.".to_owned(), None),
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
        (Some((event_type, _, at)), _) if now - at < TimeDelta::days(7) => of(
            Severity::Ok,
            format!(
                "Events that it wants arrive in {own}: the latest, {event_type}, at {}.",
                at.format("%Y-%m-%d %H:%M:%S UTC")
            ),
            None,
        ),
        (Some((event_type, _, at)), _) => of(
            Severity::Warning,
            format!(
                "No event that it wants arrived in {own} for a week: the latest, {event_type}, at {}.",
                at.format("%Y-%m-%d %H:%M:%S UTC")
            ),
            Some(
                "Check that the platform's services still publish, and that it wants the right types.",
            ),
        ),
        (None, Some((event_type, environment, _))) => of(
            Severity::Problem,
            format!(
                "No event that it wants is known in {own}, but there are in {environment}, such as \
                 {event_type}."
            ),
            Some("Is it meant for the other environment? Create it there."),
        ),
        (None, None) => of(
            Severity::Warning,
            "No event of a type that it wants is known in any environment.".to_owned(),
            Some("Choose more types, or send a test event to see that the rest works."),
        ),
    }
}

fn backlog(facts: &WebhookFacts<'_>) -> Finding {
    let of = |severity, message, advice| found(Check::Backlog, severity, message, advice);
    match facts.pending {
        0 => of(Severity::Ok, "Nothing waits for it.".to_owned(), None),
        1..=1_000 => of(
            Severity::Ok,
            format!("{} deliveries are pending.", facts.pending),
            None,
        ),
        many => of(
            Severity::Warning,
            format!("{many} deliveries or more are pending: it is slower than events come."),
            Some(
                "Let the receiver answer sooner, give the webhook more concurrency, or a higher \
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
            Severity::Warning,
            "No request was ever made to it.".to_owned(),
            Some("Send a test event."),
        ),
        Some((at, status, Some(class))) => of(
            Severity::Problem,
            format!(
                "The latest request, at {}, failed: {}. {lately}.",
                at.format("%Y-%m-%d %H:%M:%S UTC"),
                status.map_or_else(|| class.to_string(), |status| format!("status {status}")),
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
            "No dispatcher looked at the URL in time.".to_owned(),
            Some("Check that a dispatcher runs: without one nothing is delivered at all."),
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
    let reached = format!("Its host is {} and can be reached", addresses.join(", "));
    if let Some(dead) = dead_addresses(report) {
        return of(
            Severity::Warning,
            format!(
                "{reached}, but {dead} took no connection; attempts go to the other addresses."
            ),
            Some("Take the address out of the DNS, or let it answer."),
        );
    }
    let Some(tls) = &report.tls else {
        return of(Severity::Ok, format!("{reached}, without TLS."), None);
    };
    match tls.not_after {
        Some(end) if end - now < TimeDelta::days(14) => of(
            Severity::Warning,
            format!(
                "{reached}; its certificate expires on {}.",
                end.format("%Y-%m-%d")
            ),
            Some("Renew the certificate."),
        ),
        Some(end) => of(
            Severity::Ok,
            format!(
                "{reached}; its certificate is valid until {}.",
                end.format("%Y-%m-%d")
            ),
            None,
        ),
        None => of(
            Severity::Ok,
            format!("{reached}; its certificate is accepted."),
            None,
        ),
    }
}

/// The addresses of the host that took no connection, if there are some.
fn dead_addresses(report: &UrlReport) -> Option<String> {
    let addresses = report.addresses.iter();
    let dead: Vec<String> = addresses
        .filter(|checked| checked.takes_no_connection)
        .map(|checked| checked.address.to_string())
        .collect();
    (!dead.is_empty()).then(|| dead.join(", "))
}

fn rejected(facts: &WebhookFacts<'_>) -> Finding {
    let of = |severity, message, advice| found(Check::RejectedMessages, severity, message, advice);
    match facts.rejected {
        0 => of(
            Severity::Ok,
            "Every message of the last day was an event.".to_owned(),
            None,
        ),
        count => of(
            Severity::Warning,
            format!("{count} messages of the last day could not be an event."),
            Some("Look at the rejected messages: the events that are missed may be among them."),
        ),
    }
}

#[cfg(test)]
mod tests;
