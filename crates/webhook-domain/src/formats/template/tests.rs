//! Templates from their text to rendered bodies.

mod hostile;
mod recipes;
mod structure;
mod warnings;

use bytes::Bytes;
use rstest::rstest;

use super::*;
use crate::{DeliveryId, FilterName, PathRoot};

/// An event `activation.failed` with the given `data`.
fn event(data: &str) -> Event {
    event_of(EventType::ActivationFailed, data)
}

fn event_of(event_type: EventType, data: &str) -> Event {
    let body = format!(
        r#"{{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"{event_type}","environment":"staging","timestamp":"2026-11-23T10:15:30.5+02:00","data":{data}}}"#
    );
    Event::parse(Bytes::from(body)).expect("an event")
}

fn context(event: &Event) -> RenderContext<'_> {
    RenderContext {
        event,
        webhook_name: "Alerts \"EU\"",
        delivery_id: DeliveryId(uuid::Uuid::from_u128(7)),
        link: None,
        summary: "An activation failed.",
    }
}

fn parse(template: &str) -> Template {
    Template::parse(template).expect("a template")
}

fn render(template: &str, event: &Event) -> String {
    String::from_utf8(parse(template).render(&context(event))).expect("UTF-8")
}

const DATA: &str = r#"{"device":"build \"1\"","n":1.50e400,"ok":true,"no":null,"e":"","list":[1, {"a":"<&> @here a@b.c"}],"at":"2026-11-23T00:00:00Z","s":1795000000,"ms":"1795000000000","day":"2026-11-23","old":"1969-12-31T23:59:59.5Z","long":"äöü€😀"}"#;

#[rstest]
#[case::text("data.device", r#""build \"1\"""#)]
#[case::digits("data.n", "1.50e400")]
#[case::boolean("data.ok", "true")]
#[case::null("data.no", "null")]
#[case::missing("data.gone", "null")]
#[case::object("data.list.1", r#"{"a":"<&> @here a@b.c"}"#)]
#[case::array("data.list", r#"[1, {"a":"<&> @here a@b.c"}]"#)]
#[case::default_text("data.no|default:'x'", r#""x""#)]
#[case::default_number("data.gone|default:0", "0")]
#[case::default_unused("data.e|default:'x'", r#""""#)]
#[case::json_of_an_object("data.list.1|json", r#""{\"a\":\"<&> @here a@b.c\"}""#)]
#[case::json_of_a_text("data.device|json", r#""\"build \\\"1\\\"\"""#)]
#[case::upper("data.device|upper", r#""BUILD \"1\"""#)]
#[case::lower_then_default("data.gone|lower|default:'X'", r#""X""#)]
#[case::filter_of_a_missing_value("data.gone|upper", "null")]
#[case::date("timestamp|date", r#""2026-11-23 08:15 UTC""#)]
#[case::date_of_seconds("data.s|date", r#""2026-11-18 11:06 UTC""#)]
#[case::date_of_milliseconds("data.ms|date", r#""2026-11-18 11:06 UTC""#)]
#[case::date_alone("data.day|date", r#""2026-11-23""#)]
#[case::date_of_a_text("data.device|date", r#""build \"1\"""#)]
#[case::epoch("timestamp|epoch", "1795421730")]
#[case::epoch_with_milliseconds("timestamp|epoch:3", "1795421730.500")]
#[case::epoch_with_microseconds("data.ms|epoch:6", "1795000000.000000")]
#[case::epoch_of_seconds("data.s|epoch", "1795000000")]
#[case::epoch_before_1970("data.old|epoch:1", "-0.5")]
#[case::epoch_of_a_text("data.device|epoch", "null")]
#[case::epoch_of_nothing("data.gone|epoch|default:0", "0")]
#[case::truncate("data.long|truncate:4", r#""äöü…""#)]
#[case::truncate_nothing("data.long|truncate:5", r#""äöü€😀""#)]
#[case::slack("data.list.1.a|slack", "\"&lt;&amp;&gt; @\u{200b}here a@b.c\"")]
#[case::id("id", r#""0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e""#)]
#[case::event_type("type", r#""activation.failed""#)]
#[case::timestamp("timestamp", r#""2026-11-23T08:15:30.500Z""#)]
#[case::environment("environment", r#""staging""#)]
#[case::webhook("webhook.name", r#""Alerts \"EU\"""#)]
#[case::delivery("delivery.id", r#""00000000-0000-0000-0000-000000000007""#)]
#[case::link("link", "null")]
#[case::summary("summary", r#""An activation failed.""#)]
fn a_placeholder_alone_keeps_the_type_of_its_value(#[case] written: &str, #[case] expected: &str) {
    let template = format!(r#"{{"v":"{{{{ {written} }}}}"}}"#);

    assert_eq!(
        render(&template, &event(DATA)),
        format!(r#"{{"v":{expected}}}"#)
    );
}

#[rstest]
#[case::texts("{{data.device}}: {{data.n}}", r#"build \"1\": 1.50e400"#)]
#[case::missing("[{{data.gone}}{{data.no}}]", "[]")]
#[case::object("{{data.list}}!", r#"[1,{\"a\":\"<&> @here a@b.c\"}]!"#)]
#[case::braces("{{'{{'}}id}} }}{", "{{id}} }}{")]
#[case::brace_before_a_value("{{'{'}}{{data.ok}}}", "{true}")]
#[case::quotes_in_default(r#"a{{data.gone|default:\"it's\"}}"#, "ait's")]
#[case::closing_braces_in_default("a{{data.gone|default:'}}|'}}b", "a}}|b")]
#[case::spaces("a{{ data.gone | upper | default : 'x' }}", "ax")]
#[case::escapes(r"\u00e4\n\u0001{{data.ok}}", r"ä\n\u0001true")]
fn a_placeholder_in_a_text_becomes_text(#[case] written: &str, #[case] expected: &str) {
    let template = format!(r#"["{written}"]"#);

    assert_eq!(
        render(&template, &event(DATA)),
        format!(r#"["{expected}"]"#)
    );
}

#[test]
fn the_whole_event_and_the_whole_data_are_inserted_byte_for_byte() {
    let event = event(r#"{ "n" : 1e400, "\ud800" : "\ud800" }"#);

    let written = render(r#"["{{event}}", "{{data}}", "{{data.n}}"]"#, &event);

    let body = std::str::from_utf8(&event.body).expect("UTF-8");
    let data = r#"{ "n" : 1e400, "\ud800" : "\ud800" }"#;
    assert_eq!(written, format!("[{body},{data},1e400]"));
}

#[test]
fn what_stands_between_placeholders_is_the_template() {
    let template = r#" { "a/b" : [ 1.50 , true, null, {}, [], "x y" ] , "ä" : "{{data.ok}}" } "#;

    let written = render(template, &event(DATA));

    assert_eq!(written, r#"{"a/b":[1.50,true,null,{},[],"x y"],"ä":true}"#);
    assert_eq!(parse(template).source(), template);
}

#[rstest]
#[case(EventType::ActivationFailed, r#""failed act_8""#)]
#[case(EventType::ActivationCreated, r#""activation.created""#)]
fn a_variant_is_the_body_of_its_event_type(#[case] event_type: EventType, #[case] expected: &str) {
    let template = r#"{"default":"{{type}}","activation.failed":"failed {{data.id}}"}"#;

    let written = render(template, &event_of(event_type, r#"{"id":"act_8"}"#));

    assert_eq!(written, expected);
}

#[rstest]
#[case::only_default(r#"{"default":{"license.created":1}}"#, r#"{"license.created":1}"#)]
#[case::default_in_a_body(r#"{"default":1,"text":2}"#, r#"{"default":1,"text":2}"#)]
#[case::nearly_a_type(r#"{"license.key":1}"#, r#"{"license.key":1}"#)]
#[case::scalar("\"{{data.ok}}\"", "true")]
#[case::empty("{}", "{}")]
fn a_document_is_a_body_or_a_set_of_variants(#[case] template: &str, #[case] expected: &str) {
    assert_eq!(render(template, &event(DATA)), expected);
}

#[rstest]
#[case::empty("", "line 1, column 0", "not JSON: EOF while parsing a value")]
#[case::comma("{\n\"a\": 1,\n}", "line 3, column 1", "not JSON: trailing comma")]
#[case::unquoted(
    r#"{"n": {{data.n}}}"#,
    "line 1, column 8",
    "must stand inside a string"
)]
#[case::quotes(
    r#"{"n": "{{data.n|default:"x"}}"}"#,
    "line 1, column 26",
    "single quotes"
)]
#[case::filter(
    r#"{"a":["{{id|uper}}"]}"#,
    "/a/0",
    "unknown filter `uper`; did you mean `upper`?"
)]
#[case::filters(
    r#"["{{id|frob}}"]"#,
    "/0",
    "known are default, json, upper, lower, date, epoch"
)]
#[case::no_filter(r#"["{{id|}}"]"#, "/0", "unknown filter ``")]
#[case::path(
    r#"{"a~/b":"{{idd}}"}"#,
    "/a~0~1b",
    "unknown path `idd`; did you mean `id`?"
)]
#[case::key(
    r#"{"a":{"{{id}}":1}}"#,
    "/a/{{id}}",
    "a placeholder cannot stand in the name of a field"
)]
#[case::twice(
    r#"{"a":1,"\u0061":2}"#,
    "/a",
    "the field `a` stands twice in this object"
)]
#[case::unclosed(
    r#"["a {{id"]"#,
    "/0",
    "`{{id` is not closed; write `}}` at the end, or `{{'{{'}}` for two braces"
)]
#[case::half_closed(r#"["a {{id} b"]"#, "/0", "`}` cannot stand in a placeholder")]
#[case::brace_before(r#"["{{{id}}}"]"#, "/0", "`{` cannot stand in a placeholder")]
#[case::quote(r#"["{{id|default:'x}}"]"#, "/0", "the quoted text has no closing '")]
#[case::literal_with_filter(r#"["{{'x'|upper}}"]"#, "/0", "`|` cannot stand")]
#[case::no_path(r#"["{{ }}"]"#, "/0", "the placeholder is empty")]
#[case::argument(
    r#"["{{id|upper:2}}"]"#,
    "/0",
    "`upper` takes no argument; write `|upper`"
)]
#[case::truncate(
    r#"["{{id|truncate:0}}"]"#,
    "/0",
    "`truncate` needs a number of characters from 1 to 10000"
)]
#[case::truncate_text(r#"["{{id|truncate:'9'}}"]"#, "/0", "write `truncate:80`")]
#[case::epoch(
    r#"["{{id|epoch:7}}"]"#,
    "/0",
    "`epoch` takes no argument, or a number of digits from 1 to 6"
)]
#[case::default(
    r#"["{{id|default}}"]"#,
    "/0",
    "`default` needs a value; write `default:'none'`"
)]
#[case::default_word(
    r#"["{{id|default:x}}"]"#,
    "/0",
    "write `default:'x'` instead of `default:x`"
)]
#[case::many_filters(
    r#"["{{id|json|json|json|json|json|json|json}}"]"#,
    "/0",
    "has 7 filters; at most 6"
)]
#[case::no_default(r#"{"license.created":1}"#, "", "need a field `default`")]
#[case::nearly(
    r#"{"default":1,"activation.faild":1}"#,
    "/activation.faild",
    "did you mean `activation.failed`?"
)]
#[case::group(
    r#"{"default":1,"license.*":1}"#,
    "/license.*",
    "a variant is for a single type"
)]
#[case::beside(
    r#"{"default":1,"license.created":1,"x":1}"#,
    "/x",
    "`x` stands beside variants"
)]
#[case::in_a_variant(
    r#"{"default":1,"license.created":["{{"]}"#,
    "/license.created/0",
    "is not closed"
)]
fn a_template_at_fault_is_refused_with_the_place_and_the_mending(
    #[case] template: &str,
    #[case] pointer: &str,
    #[case] message: &str,
) {
    let errors = Template::parse(template).expect_err("a fault").into_vec();

    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].pointer, pointer, "{errors:?}");
    assert!(errors[0].message.contains(message), "{errors:?}");
}

#[test]
fn a_template_at_its_limits_is_parsed_and_a_larger_one_is_refused() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let placeholders = |count: usize| format!("[{}0]", "\"{{id}}\",".repeat(count));
    let bytes = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));

    for (at_limit, beyond, message) in [
        (nested(16), nested(17), "more than 16 deep"),
        (nested(16), nested(16_000), "more than 16 deep"),
        (
            placeholders(100),
            placeholders(101),
            "101 placeholders; at most 100",
        ),
        (bytes(32_768), bytes(32_769), "32769 bytes; at most 32768"),
    ] {
        assert!(Template::parse(&at_limit).is_ok(), "{message}");
        let refused = Template::parse(&beyond).expect_err(message).to_string();
        assert!(refused.contains(message), "{refused}");
    }
}

#[test]
fn all_faults_are_told_at_once_and_of_many_the_first_twenty() {
    let template = format!("[{}0]", r#""{{x.y}} {{id|z}}","#.repeat(50));

    let errors = Template::parse(&template).expect_err("faults").into_vec();

    assert_eq!(errors.len(), 21);
    assert_eq!(errors[19].pointer, "/9");
    assert_eq!(errors[20].message, "… and 80 more");
}

#[test]
fn long_names_are_cut_in_errors() {
    let name = "é".repeat(5_000);

    for template in [
        format!(r#"{{"{name}":"{{{{"}}"#),
        format!(r#"["{{{{{name}}}}}"]"#),
    ] {
        let errors = Template::parse(&template).expect_err("a fault").into_vec();

        assert!(errors[0].pointer.chars().count() <= 200, "{errors:?}");
        assert!(errors[0].message.chars().count() <= 1_000, "{errors:?}");
    }
}

#[test]
fn the_page_for_admins_shows_templates_that_parse_and_every_name() {
    let page = include_str!("../../../../../docs/templates.md");
    let blocks: Vec<&str> = page.split("```json\n").skip(1).collect();
    let blocks: Vec<&str> = blocks
        .iter()
        .filter_map(|block| block.split("\n```").next())
        .collect();

    let event = event(EventType::ActivationFailed.example());
    assert_eq!(render(blocks[0], &event), blocks[1]);
    assert!(blocks.iter().all(|block| Template::parse(block).is_ok()));
    let paths = PathRoot::ALL.iter().map(|root| root.as_str());
    let filters = FilterName::ALL.iter().map(|filter| filter.as_str());
    for name in paths.chain(filters) {
        assert!(page.contains(&format!("`{name}")), "{name}");
    }
}
