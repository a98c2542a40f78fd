//! Every fault of a body or a query is named at once.

use super::*;
use webhook_domain::Environment;

fn names(errors: &[FieldError]) -> Vec<&str> {
    errors.iter().map(|error| error.field.as_str()).collect()
}

#[test]
fn every_fault_is_named_at_once() {
    let body = br#"{"wrong_type":5,"invalid":"moon","twice":"a","twice":"b",
        "list":["staging",7,"moon"],"none":[],"extra":1}"#;
    let mut fields = Fields::of_body(body).expect("an object");

    fields.required("missing", str::parse::<Environment>);
    fields.required("wrong_type", str::parse::<Environment>);
    fields.optional("invalid", str::parse::<Environment>);
    fields.optional("twice", str::parse::<String>);
    fields.required_list("list", str::parse::<Environment>);
    fields.required_items("none");

    let errors = fields.finish();
    assert_eq!(
        names(&errors),
        [
            "twice",
            "missing",
            "wrong_type",
            "invalid",
            "list[1]",
            "list[2]",
            "none",
            "extra"
        ]
    );
}

#[test]
fn the_fields_of_an_object_in_an_object_are_named_with_its_name() {
    let body = br#"{"policy":{"attempts":"5","more":1},"limit":"x","other":7,"none":null}"#;
    let mut fields = Fields::of_body(body).expect("an object");
    let number = |fields: &mut Fields<'_>, name: &str| {
        fields.optional_json(name, "a number", Ok::<i64, String>)
    };

    let policy = fields.optional_object("policy", |inner| number(inner, "attempts"));
    fields.optional_object("other", |_| Some(()));
    let none = fields.optional_object("none", |_| Some(()));
    number(&mut fields, "limit");

    assert_eq!((policy, none), (None, None));
    let errors = fields.finish();
    assert_eq!(
        names(&errors),
        ["policy.attempts", "policy.more", "other", "limit"]
    );
}

#[test]
fn a_whole_number_may_be_written_as_a_float() {
    let whole = |number: &str| {
        let body = format!("{{\"n\":{number}}}");
        let mut fields = Fields::of_body(body.as_bytes()).unwrap_or_default();
        fields.optional_whole("n", Ok::<_, String>)
    };

    assert_eq!(whole("7"), Some(7));
    assert_eq!(whole("7.0"), Some(7));
    assert_eq!(whole("1e3"), Some(1_000));
    for other in ["7.5", "-1", "1e400", "1e17", "\"7\"", "true", "null"] {
        assert_eq!(whole(other), None, "{other}");
    }
}

#[test]
fn what_is_no_object_is_refused() {
    for body in ["", "[]", "{\"a\":", "{} {}", "\"text\""] {
        let refused = Fields::of_body(body.as_bytes());

        assert!(matches!(refused, Err(Refusal::NotJson(_))), "{body}");
    }
}

#[test]
fn a_query_is_read_like_a_body() {
    let mut fields = Fields::of_query("environment=staging&limits=5");

    let environment = fields.optional("environment", str::parse);

    assert_eq!(environment, Some(Environment::Staging));
    assert_eq!(names(&fields.finish()), ["limits"]);
}
