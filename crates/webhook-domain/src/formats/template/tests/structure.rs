//! The structure of a result is the structure of its template, for any template and any event.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::value::RawValue;

use super::*;
use crate::formats::json_view::{text, walk_elements, walk_fields};

/// Names of fields, in templates and in events, so that paths meet fields.
const NAMES: [&str; 8] = ["a", "b", "c_d", "0", "1", "é", "default", "license.created"];

/// JSON strings of events, as written: escapes of every kind, lone surrogates, long texts.
fn strings() -> impl Strategy<Value = String> {
    let long = (
        select(vec![
            "x", "é", "😀", r"\ud800", r"\u0000", r#"\""#, "<@U1>&",
        ]),
        0..30_000_usize,
    );
    let pieces = select(vec![
        "plain",
        " ",
        r"\ud83d\ude00",
        r"\udc00",
        r"\ud800",
        r"\n\u0007",
        r#"\"\\\/"#,
        "{{id}}",
        "@here",
        "2026-11-23T08:15:30Z",
        "\u{2028}",
        "</script>",
    ]);
    prop_oneof![
        6 => prop::collection::vec(pieces, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat())),
        1 => long.prop_map(|(piece, times)| format!("\"{}\"", piece.repeat(times))),
    ]
}

/// Any JSON, as written by a publisher.
fn values() -> impl Strategy<Value = String> {
    let scalars = select(vec![
        "null",
        "true",
        "0",
        "-0.0",
        "1e400",
        "9007199254740993",
        "1795000000",
    ]);
    let leaf = prop_oneof![scalars.prop_map(str::to_owned), strings()];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let names = prop_oneof![4 => select(NAMES.to_vec()).prop_map(str::to_owned), 1 => Just(r"\ud800".to_owned())];
        let field = (names, inner.clone()).prop_map(|(name, value)| format!("\"{name}\" : {value}"));
        prop_oneof![
            prop::collection::vec(field, 0..8).prop_map(|fields| format!("{{ {} }}", fields.join(" ,\n"))),
            prop::collection::vec(inner, 0..8).prop_map(|values| format!("[{}]", values.join(", "))),
        ]
    })
}

fn objects() -> impl Strategy<Value = String> {
    let field = (select(NAMES.to_vec()), values());
    let fields = field.prop_map(|(name, value)| format!("\"{name}\":{value}"));
    prop::collection::vec(fields, 0..8).prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

/// A placeholder that parses.
fn placeholders() -> impl Strategy<Value = String> {
    let roots = PathRoot::ALL
        .iter()
        .map(|root| root.as_str().to_owned())
        .collect::<Vec<_>>();
    let parts = prop::collection::vec(select(NAMES[..6].to_vec()), 1..4);
    let below = parts.prop_map(|parts| format!("data.{}", parts.join(".")));
    let filters = select(vec![
        "json",
        "upper",
        "lower",
        "date",
        "epoch",
        "epoch:6",
        "slack",
        "truncate:1",
        "truncate:10000",
        "default:0",
        "default:'x y'",
    ]);
    let filters = prop::collection::vec(filters, 0..4);
    (prop_oneof![select(roots), below], filters).prop_map(|(path, filters)| {
        let filters: String = filters
            .iter()
            .map(|filter| format!(" | {filter}"))
            .collect();
        format!("{{{{{path}{filters}}}}}")
    })
}

/// Templates that parse: any JSON with placeholders in its strings.
fn templates() -> impl Strategy<Value = String> {
    let texts = prop_oneof![
        placeholders(),
        placeholders().prop_map(|placeholder| format!("é \\n {placeholder}")),
        (placeholders(), placeholders()).prop_map(|(one, other)| format!("{one}{other}")),
        select(vec!["", "x", r"\ud800", "}}", "{{'{{'}}"]).prop_map(str::to_owned),
    ];
    let texts = texts.prop_map(|text| format!("\"{text}\""));
    let leaf = prop_oneof![1 => select(vec!["null", "1.50"]).prop_map(str::to_owned), 5 => texts];
    leaf.prop_recursive(6, 30, 6, |inner| {
        let list = prop::collection::vec(inner, 0..6);
        prop_oneof![
            list.clone()
                .prop_map(|values| format!("[ {} ]", values.join(" , "))),
            list.prop_map(|values| {
                // Neither `default` nor an event type: the document is a single body.
                let named = NAMES[..6].iter().zip(values);
                let fields: Vec<String> = named
                    .map(|(name, value)| format!("\"{name}\": {value}"))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// Whether a string of a template is one placeholder and nothing else. Only tests write strings without
/// `}}` inside a placeholder.
fn is_whole(written: &str) -> bool {
    let end = written.find("}}");
    written.starts_with("{{") && !written.starts_with("{{'") && end == Some(written.len() - 2)
}

/// Compares a result with its template, value by value.
fn assert_same_structure(template: &RawValue, result: &RawValue) {
    let (from, to) = (template.get(), result.get());
    match from.as_bytes()[0] {
        b'{' => {
            let (from, to) = (fields_of(template), fields_of(result));
            assert_eq!(from.len(), to.len());
            for ((name, value), (written, result)) in from.into_iter().zip(to) {
                assert_eq!(name, written);
                assert_same_structure(value, result);
            }
        }
        b'[' => {
            let (from, to) = (elements_of(template), elements_of(result));
            assert_eq!(from.len(), to.len());
            from.into_iter()
                .zip(to)
                .for_each(|(value, result)| assert_same_structure(value, result));
        }
        b'"' if is_whole(&text(from).expect("a text")) => {}
        b'"' if from.contains("{{") => assert!(to.starts_with('"'), "{to}"),
        b'"' => assert_eq!(text(from), text(to)),
        _ => assert_eq!(from, to),
    }
}

fn fields_of(object: &RawValue) -> Vec<(String, &RawValue)> {
    assert!(object.get().starts_with('{'));
    let mut fields = Vec::new();
    walk_fields(object, &mut |name, value| {
        fields.push((name.to_owned(), value));
    });
    fields
}

fn elements_of(array: &RawValue) -> Vec<&RawValue> {
    assert!(array.get().starts_with('['));
    let mut elements = Vec::new();
    walk_elements(array, &mut |_, value| elements.push(value));
    elements
}

/// Renders, and checks limit, JSON and structure.
pub(super) fn assert_renders(template: &str, event: &Event) -> Vec<u8> {
    let result = parse(template).render(&context(event));

    assert!(
        result.len() <= Template::MAX_RESULT_BYTES,
        "{}",
        result.len()
    );
    let raw: &RawValue = serde_json::from_slice(&result).expect("JSON");
    assert_same_structure(serde_json::from_str(template).expect("JSON"), raw);
    result
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_template_renders_any_event_with_its_own_structure(template in templates(), data in objects()) {
        let data = if data.len() > 250_000 { "{}" } else { &data };
        // A template with a half of a surrogate pair is refused.
        prop_assume!(serde_json::from_str::<serde_json::Value>(&template).is_ok());
        assert_renders(&template, &event(data));
    }

    #[test]
    fn any_text_is_a_template_or_refused_with_a_place(text in r#"[\[{"](\{\{|\}\}|["'|:a-z.0-9 \\,{}\[\]])*"#) {
        if let Err(errors) = Template::parse(&text) {
            assert!(errors.into_vec().iter().all(|error| !error.message.is_empty()));
        }
    }
}
