use super::*;
use crate::{
    AddressPolicy, BodyFormat, CheckedAddress, CustomHeaders, DeliveryOptions, EventSelection,
    Metadata, TargetUrl, TlsHandshake, UrlFailure, UrlSchemes, WebhookDescription, WebhookName,
    WebhookUrl,
};
use rstest::rstest;

fn settings(status: WebhookStatus) -> WebhookSettings {
    let name = WebhookName::parse("CRM").expect("a name");
    let url = WebhookUrl::parse(
        "https://crm.example.com/",
        UrlSchemes::HttpsOnly,
        &AddressPolicy::default(),
    );
    WebhookSettings {
        name,
        url: TargetUrl::open(url.expect("a URL")).into(),
        environment: Environment::Production,
        status,
        description: WebhookDescription::default(),
        events: EventSelection::new(["license.*".parse().expect("a pattern")]).expect("some"),
        headers: CustomHeaders::default(),
        metadata: Metadata::default(),
        body: BodyFormat::Json,
        delivery_options: DeliveryOptions::default(),
    }
}

fn facts(settings: &WebhookSettings) -> WebhookFacts<'_> {
    WebhookFacts {
        settings,
        disabled_reason: None,
        health: WebhookHealth::Healthy,
        failing: None,
        held_until: None,
        latest: &[],
        pending: 0,
        last_attempt: None,
        attempts: (0, 0),
        url: None,
        rejected: 0,
        dispatchers: None,
    }
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(30)
}

fn finding(facts: &WebhookFacts<'_>, check: Check) -> Finding {
    let findings = diagnose(facts, now());
    let finding = findings.into_iter().find(|finding| finding.check == check);
    finding.expect("every check is there")
}

fn severity(facts: &WebhookFacts<'_>, check: Check) -> Severity {
    finding(facts, check).severity
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

#[rstest]
#[case::fresh(7 * 86_400 - 1, Severity::Ok, "Events of the selected types arrive in production")]
#[case::old(7 * 86_400, Severity::Warning, "No event of the selected types arrived in production")]
fn an_event_of_the_last_week_is_well(
    #[case] seconds_ago: i64,
    #[case] severity: Severity,
    #[case] begin: &str,
) {
    let settings = settings(WebhookStatus::Active);
    let at = now() - TimeDelta::seconds(seconds_ago);
    let older = at - TimeDelta::days(1);
    let latest = [
        (EventType::LicenseDeleted, Environment::Production, older),
        (EventType::LicenseCreated, Environment::Production, at),
        (EventType::LicenseUpdated, Environment::Staging, now()),
    ];
    let facts = WebhookFacts {
        latest: &latest,
        ..facts(&settings)
    };

    let finding = finding(&facts, Check::Subscriptions);

    assert_eq!(finding.severity, severity);
    assert!(finding.message.starts_with(begin), "{}", finding.message);
    assert!(
        finding.message.contains("license.created"),
        "the latest one"
    );
}

#[rstest]
#[case(0, Severity::Ok, "No delivery is pending.")]
#[case(1, Severity::Ok, "1 delivery is pending.")]
#[case(1_000, Severity::Ok, "1000 deliveries are pending.")]
#[case(
    1_001,
    Severity::Warning,
    "1001 deliveries or more are pending: events arrive faster than the receiver accepts them."
)]
fn a_backlog_of_more_than_1000_is_a_warning(
    #[case] pending: usize,
    #[case] severity: Severity,
    #[case] message: &str,
) {
    let settings = settings(WebhookStatus::Active);

    let finding = finding(
        &WebhookFacts {
            pending,
            ..facts(&settings)
        },
        Check::Backlog,
    );

    assert_eq!(
        (finding.severity, finding.message.as_str()),
        (severity, message)
    );
}

#[rstest]
#[case(0, Severity::Ok)]
#[case(1, Severity::Warning)]
fn an_accepted_request_is_well_unless_others_of_the_day_failed(
    #[case] failed: i64,
    #[case] severity: Severity,
) {
    let settings = settings(WebhookStatus::Active);
    let facts = WebhookFacts {
        last_attempt: Some((now(), Some(204), None)),
        attempts: (9, failed),
        ..facts(&settings)
    };

    let finding = finding(&facts, Check::Answers);

    assert_eq!(finding.severity, severity);
    let lately = format!("{failed} of 9 requests of the last day failed.");
    assert!(finding.message.ends_with(&lately), "{}", finding.message);
}

/// A report of a URL whose host has two addresses and whose certificate ends so much later.
fn reached(valid_for: Option<TimeDelta>, second_takes_no_connection: bool) -> UrlReport {
    let address = |last, takes_no_connection| CheckedAddress {
        address: [192, 0, 2, last].into(),
        permitted: true,
        takes_no_connection,
    };
    UrlReport {
        addresses: vec![address(1, false), address(2, second_takes_no_connection)],
        tls: Some(TlsHandshake {
            version: "1.3".to_owned(),
            handshake_ms: 9,
            not_after: valid_for.map(|time| now() + time),
            issuer: None,
        }),
        ..UrlReport::default()
    }
}

#[rstest]
#[case::soon(Some(14 * 86_400 - 1), Severity::Warning, "the certificate expires on 1970-02-13.")]
#[case::later(Some(14 * 86_400), Severity::Ok, "the certificate is valid until 1970-02-14.")]
#[case::unknown(None, Severity::Ok, "the certificate is accepted.")]
fn a_certificate_that_ends_within_two_weeks_is_a_warning(
    #[case] seconds_left: Option<i64>,
    #[case] severity: Severity,
    #[case] end: &str,
) {
    let settings = settings(WebhookStatus::Active);
    let report = reached(seconds_left.map(TimeDelta::seconds), false);

    let finding = finding(
        &WebhookFacts {
            url: Some(&report),
            ..facts(&settings)
        },
        Check::Url,
    );

    assert_eq!(finding.severity, severity);
    let begin = "The host is 192.0.2.1, 192.0.2.2 and can be reached; ";
    assert_eq!(finding.message, format!("{begin}{end}"));
}

#[test]
fn an_address_that_takes_no_connection_is_named() {
    let settings = settings(WebhookStatus::Active);
    let report = reached(None, true);

    let finding = finding(
        &WebhookFacts {
            url: Some(&report),
            ..facts(&settings)
        },
        Check::Url,
    );

    assert_eq!(finding.severity, Severity::Warning);
    assert!(
        finding
            .message
            .contains("but 192.0.2.2 accepted no connection"),
        "{}",
        finding.message
    );
}

#[test]
fn a_url_without_tls_is_told_as_one() {
    let settings = settings(WebhookStatus::Active);
    let report = UrlReport {
        tls: None,
        ..reached(None, false)
    };

    let finding = finding(
        &WebhookFacts {
            url: Some(&report),
            ..facts(&settings)
        },
        Check::Url,
    );

    assert_eq!(finding.severity, Severity::Ok);
    assert!(
        finding.message.ends_with("can be reached, without TLS."),
        "{}",
        finding.message
    );
}

#[rstest]
#[case(0, Severity::Ok)]
#[case(1, Severity::Warning)]
fn rejected_messages_are_a_warning(#[case] rejected: i64, #[case] severity: Severity) {
    let settings = settings(WebhookStatus::Active);

    let finding = finding(
        &WebhookFacts {
            rejected,
            ..facts(&settings)
        },
        Check::RejectedMessages,
    );

    assert_eq!(finding.severity, severity);
}

#[test]
fn an_open_circuit_is_a_problem_and_failures_before_that_a_warning() {
    let settings = settings(WebhookStatus::Active);
    let failing = |circuit| Failing {
        since: now(),
        failures: 10,
        warned_at: None,
        forbidden: 0,
        circuit,
    };
    let open = Circuit::Open {
        since: now(),
        until: now(),
        pauses: 1,
    };
    let status = |circuit| {
        let failing = Some(failing(circuit));
        finding(
            &WebhookFacts {
                failing,
                ..facts(&settings)
            },
            Check::Status,
        )
        .severity
    };

    assert_eq!(status(open), Severity::Problem);
    assert_eq!(status(Circuit::Closed), Severity::Warning);
}
