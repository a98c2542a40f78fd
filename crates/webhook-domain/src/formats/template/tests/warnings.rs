//! The warnings about paths that no event has.

use rstest::rstest;

use super::*;

fn warnings(template: &str, subscribed: &[EventType], recent: &[Event]) -> Vec<(String, String)> {
    let warnings = parse(template).check_paths(subscribed, recent);
    warnings
        .into_iter()
        .map(|warning| (warning.pointer, warning.message))
        .collect()
}

fn failed(count: usize) -> Vec<Event> {
    vec![event(r#"{"device":"build","host":{"name":"x"},"list":[{"id":1}],"no":null}"#); count]
}

#[rstest]
#[case(
    0,
    "`data.devise` is in no example of `activation.failed`; did you mean `data.device`?"
)]
#[case(
    1,
    "`data.devise` is in neither the example nor the last `activation.failed`; did you mean `data.device`?"
)]
#[case(
    20,
    "`data.devise` is in none of the last 20 `activation.failed`; did you mean `data.device`?"
)]
fn a_misspelt_path_is_told_with_the_nearest(#[case] recent: usize, #[case] expected: &str) {
    let template = r#"{"a":["x {{data.devise|upper}}", "{{data.devise|default:1}}"]}"#;

    let warnings = warnings(template, &[EventType::ActivationFailed], &failed(recent));

    assert_eq!(warnings, [("/a/0".to_owned(), expected.to_owned())]);
}

#[rstest]
#[case::example("data.reason")]
#[case::recent("data.host.name")]
#[case::element("data.list.0.id")]
#[case::null("data.no")]
#[case::whole("data")]
#[case::root("id")]
fn a_path_of_an_example_or_of_a_recent_event_raises_no_warning(#[case] path: &str) {
    let template = format!(r#"["{{{{{path}}}}}"]"#);

    assert!(warnings(&template, &[EventType::ActivationFailed], &failed(3)).is_empty());
}

#[test]
fn a_path_at_another_depth_is_suggested() {
    let template = r#"["{{data.name}}"]"#;

    let warnings = warnings(template, &[EventType::ActivationFailed], &failed(2));

    assert!(
        warnings[0].1.ends_with("did you mean `data.host.name`?"),
        "{warnings:?}"
    );
}

#[test]
fn a_path_that_some_types_lack_needs_a_default() {
    let types = [
        EventType::LicenseCreated,
        EventType::LicenseDeleted,
        EventType::ProductDeleted,
    ];
    let template = r#"{"a":"{{data.seats}}","b":"{{data.seats|default:0}}","c":"{{data.seets}}"}"#;

    let warnings = warnings(template, &types, &[]);

    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!(
        warnings[0].1,
        "`data.seats` is in no example of `license.deleted` nor in 1 more event type; `default:'…'` fills the gap, or a variant for the type"
    );
    assert_eq!(
        warnings[1].1,
        "`data.seets` is in no example and no recent event of the 3 event types; did you mean `data.seats`?"
    );
}

#[test]
fn each_variant_is_checked_against_its_own_type() {
    let template = r#"{"default":"{{data.device}}","license.created":"{{data.seats}}","license.expired":"{{data.x}}"}"#;
    let types = [EventType::LicenseCreated, EventType::ActivationFailed];

    let warnings = warnings(template, &types, &[]);

    let expected = "the webhook does not receive `license.expired`, so this variant is never used";
    assert_eq!(
        warnings,
        [("/license.expired".to_owned(), expected.to_owned())]
    );
}

#[test]
fn a_type_with_ten_thousand_fields_is_checked_in_bounded_time() {
    let fields: Vec<String> = (0..10_000)
        .map(|n| format!("\"some_field_{n}\":{n}"))
        .collect();
    let recent = vec![event(&format!("{{{}}}", fields.join(","))); 3];
    let paths: Vec<String> = (0..20)
        .map(|n| format!("\"{{{{data.same_field_{n}}}}}\""))
        .collect();
    let template = format!("[{}]", paths.join(","));

    let warnings = warnings(&template, &[EventType::ActivationFailed], &recent);

    assert_eq!(warnings.len(), 20);
    assert!(
        warnings[0].1.ends_with("did you mean `data.some_field_0`?"),
        "{:?}",
        warnings[0]
    );
}
