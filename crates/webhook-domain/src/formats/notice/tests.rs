//! Tests of notices: title, facts and link.

use super::*;
use crate::formats::test_events::{event, test_event};
use rstest::rstest;

fn notice(event_type: EventType, data: &str) -> Notice {
    let mut links = LinkPatterns::default();
    for field in ["license_id", "contract_id"] {
        let url = format!("https://platform.example/{field}/{{id}}");
        links.set(field, &url).expect("a pattern");
    }
    let event = event(event_type, Environment::Production, data);
    Notice::of(&event, &links, Some("https://portal.example/deliveries/1"))
}

fn facts(data: &str) -> Vec<(String, String)> {
    let notice = notice(EventType::LicenseUpdated, data);
    notice
        .facts
        .into_iter()
        .map(|fact| (fact.name, fact.value))
        .collect()
}

fn fact(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[rstest]
#[case(Environment::Production, "License activated")]
#[case(Environment::Staging, "[Staging] License activated")]
#[case(Environment::Development, "[Development] License activated")]
fn an_environment_that_is_not_production_stands_in_the_title(
    #[case] environment: Environment,
    #[case] title: &str,
) {
    let event = event(EventType::LicenseActivated, environment, "{}");

    assert_eq!(
        Notice::of(&event, &LinkPatterns::default(), None).title,
        title
    );
}

#[test]
fn a_test_event_says_that_it_is_a_test() {
    let notice = Notice::of(&test_event(), &LinkPatterns::default(), None);

    assert!(notice.test);
    assert_eq!(notice.title, "[Development] [Test] License expired");
    assert!(notice.sentence.ends_with(TEST_SENTENCE));
}

#[test]
fn facts_are_the_scalars_of_data_one_level_deep() {
    let facts = facts(
        r#"{"license_id":42,"assignee":{"kind":"user","id":"usr_9","team":{"id":1}},"trial":false,
            "note":null,"empty":"","tags":["a","b_c"],"expires_at":"2027-11-23T01:00:00+01:00"}"#,
    );

    assert_eq!(
        facts,
        [
            fact("License ID", "42"),
            fact("Assignee kind", "user"),
            fact("Assignee ID", "usr_9"),
            fact("Trial", "no"),
            fact("Tags", "a, b_c"),
            fact("Expires at", "2027-11-23 00:00 UTC"),
        ]
    );
}

#[test]
fn a_number_keeps_its_digits_and_a_repeated_field_its_last_value() {
    let facts = facts(r#"{"a":1,"b":9007199254740993,"a":1e400}"#);

    assert_eq!(facts, [fact("A", "1e400"), fact("B", "9007199254740993")]);
}

#[test]
fn more_than_ten_facts_are_counted() {
    let fields: Vec<String> = (0..13).map(|n| format!("\"f{n}\":{n}")).collect();
    let data = format!("{{{},\"o\":{{\"x\":1,\"y\":null}}}}", fields.join(","));

    let notice = notice(EventType::LicenseUpdated, &data);

    assert_eq!(notice.facts.len(), 10);
    assert_eq!(notice.omitted_facts, 4);
    assert!(notice.footer(0).ends_with(" · 4 more fields"));
}

#[test]
fn names_and_values_are_short_and_visible() {
    let long = "x".repeat(5_000);
    let data = format!(r#"{{"{long}":"{long}"," ":1,"\u202eemag":"a\u0000b"}}"#);

    let facts = facts(&data);

    assert_eq!(facts[0].0.chars().count(), Notice::MAX_FACT_NAME_CHARS);
    assert_eq!(facts[0].1.chars().count(), Notice::MAX_FACT_VALUE_CHARS);
    assert!(facts[0].1.ends_with('…'));
    assert_eq!(facts[1..], [fact(NO_NAME, "1"), fact("Emag", "a b")]);
}

#[rstest]
#[case::own(
    EventType::LicenseCreated,
    r#"{"contract_id":"c","license_id":"l"}"#,
    "license_id/l"
)]
#[case::parent(
    EventType::ActivationCreated,
    r#"{"activation_id":"a","license_id":7}"#,
    "license_id/7"
)]
#[case::contract(EventType::LicenseCreated, r#"{"contract_id":"c"}"#, "contract_id/c")]
#[case::object(
    EventType::LicenseCreated,
    r#"{"license_id":{"id":"l/1"}}"#,
    "license_id/l%2F1"
)]
fn the_link_is_the_first_id_with_a_pattern(
    #[case] event_type: EventType,
    #[case] data: &str,
    #[case] path: &str,
) {
    let link = notice(event_type, data).link.expect("a link");

    assert_eq!(link.url, format!("https://platform.example/{path}"));
}

#[rstest]
#[case::no_pattern(r#"{"product_id":"p"}"#)]
#[case::null(r#"{"license_id":null}"#)]
#[case::empty(r#"{"license_id":""}"#)]
#[case::two_lines(r#"{"license_id":"a\nb"}"#)]
#[case::array(r#"{"license_id":["a"]}"#)]
fn without_an_id_or_a_pattern_the_link_is_the_deliverys_page(#[case] data: &str) {
    let link = notice(EventType::LicenseCreated, data)
        .link
        .expect("a link");

    assert_eq!(link.text, "Open delivery");
    assert_eq!(link.url, "https://portal.example/deliveries/1");
}

#[test]
fn an_id_that_is_too_long_for_an_address_is_not_linked() {
    let mut links = LinkPatterns::default();
    let url = format!("https://a.example/?{}", "q={id}&".repeat(60));
    links.set("license_id", &url).expect("a pattern");
    let data = format!(r#"{{"license_id":"{}"}}"#, "é".repeat(100));
    let event = event(EventType::LicenseCreated, Environment::Production, &data);

    assert_eq!(Notice::of(&event, &links, None).link, None);
}
