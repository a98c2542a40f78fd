use super::*;
use crate::{
    AddressPolicy, CustomHeaders, EventSelection, Metadata, Serving, UrlFailure, UrlSchemes,
    WebhookDescription, WebhookName, WebhookUrl,
};

fn settings(status: WebhookStatus) -> WebhookSettings {
    let name = WebhookName::parse("CRM").expect("a name");
    let url = WebhookUrl::parse(
        "https://crm.example.com/",
        UrlSchemes::HttpsOnly,
        &AddressPolicy::default(),
    );
    WebhookSettings {
        name,
        url: url.expect("a URL"),
        environment: Environment::Production,
        status,
        description: WebhookDescription::default(),
        events: EventSelection::new(["license.*".parse().expect("a pattern")]).expect("some"),
        headers: CustomHeaders::default(),
        metadata: Metadata::default(),
        serving: Serving::default(),
    }
}

fn facts(settings: &WebhookSettings) -> WebhookFacts<'_> {
    WebhookFacts {
        settings,
        disabled_reason: None,
        failing: None,
        held_until: None,
        latest: &[],
        pending: 0,
        last_attempt: None,
        attempts: (0, 0),
        url: None,
        rejected: 0,
    }
}

fn severity(facts: &WebhookFacts<'_>, check: Check) -> Severity {
    let findings = diagnose(facts, DateTime::UNIX_EPOCH + TimeDelta::days(30));
    let finding = findings.into_iter().find(|finding| finding.check == check);
    finding.expect("every check is there").severity
}

#[test]
fn every_check_has_one_finding() {
    let settings = settings(WebhookStatus::Active);

    let findings = diagnose(&facts(&settings), DateTime::UNIX_EPOCH);

    let checks: Vec<Check> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(checks, Check::ALL);
}

#[test]
fn what_keeps_events_away_is_a_problem() {
    let inactive = settings(WebhookStatus::Inactive);
    let active = settings(WebhookStatus::Active);
    let unresolved = UrlReport {
        addresses: Vec::new(),
        connection: None,
        tls: None,
        failure: Some(UrlFailure {
            class: FailureClass::Dns,
            detail: "no such name".into(),
        }),
    };
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(30);
    let elsewhere = [(EventType::LicenseCreated, Environment::Staging, now)];

    assert_eq!(
        severity(&facts(&inactive), Check::Status),
        Severity::Problem
    );
    let facts = WebhookFacts {
        latest: &elsewhere,
        last_attempt: Some((now, Some(500), Some(FailureClass::Status))),
        url: Some(&unresolved),
        ..facts(&active)
    };
    assert_eq!(severity(&facts, Check::Status), Severity::Ok);
    for check in [Check::Subscriptions, Check::Answers, Check::Url] {
        assert_eq!(severity(&facts, check), Severity::Problem, "{check}");
    }
}

#[test]
fn a_receiver_that_asked_for_no_requests_is_told_with_its_time_until_that_is_over() {
    let settings = settings(WebhookStatus::Active);
    let until = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
    let facts = WebhookFacts {
        held_until: Some(until),
        ..facts(&settings)
    };
    let at = |now| diagnose(&facts, now).swap_remove(0);

    let (held, over) = (at(until - TimeDelta::seconds(1)), at(until));

    assert_eq!(
        (held.check, held.severity),
        (Check::Status, Severity::Problem)
    );
    assert!(
        held.message
            .contains("no requests until 1970-01-01 01:00:00 UTC")
    );
    assert_eq!(over.severity, Severity::Ok);
}
