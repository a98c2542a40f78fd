//! Large and hostile events: every result keeps the limit, and the time is linear.

use std::time::{Duration, Instant};

use rstest::rstest;

use super::structure::assert_renders;
use super::*;

/// Every way of inserting a value, nine placeholders per block.
fn greedy(blocks: usize) -> String {
    let block = r#"{"v":"{{data.v}}","t":"a {{data.v}}","u":["{{data.v|upper}}","{{data.v|slack}}","{{data.v|json}}"],
        "n":"{{data.v|truncate:9}}","e":"{{event}}","d":"x {{data}}","f":"{{data.v.0.v|default:1}}"}"#;
    format!("[{}]", vec![block; blocks].join(","))
}

/// A value of about `bytes` bytes, as JSON.
fn repeated(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes / piece.len())
}

fn quoted(piece: &str, bytes: usize) -> String {
    format!("\"{}\"", repeated(piece, bytes))
}

fn fields(bytes: usize) -> String {
    let fields: Vec<String> = (0..bytes / 25)
        .map(|number| format!("\"v\":\"field {number}\""))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn nested(bytes: usize) -> String {
    let depth = bytes / 2;
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[rstest]
#[case::text(quoted("x", 250_000))]
#[case::emoji(quoted("😀", 250_000))]
#[case::control_characters(quoted(r"\u0001", 250_000))]
#[case::lone_surrogates(quoted(r"\ud800", 250_000))]
#[case::quotes(quoted(r#"\""#, 250_000))]
#[case::markup(quoted("<&>@", 250_000))]
#[case::growing_in_upper_case(quoted("ΐ", 250_000))]
#[case::shrinking_in_upper_case(quoted("ı", 250_000))]
#[case::digits(format!("1{}", repeated("0", 250_000)))]
#[case::ten_thousand_fields(fields(250_000))]
#[case::deep(nested(250_000))]
#[case::spaces(format!("[{}]", repeated(" ", 250_000)))]
#[case::elements(format!("[{}1]", repeated("1, ", 250_000)))]
fn a_hostile_event_renders_within_the_limit(#[case] value: String) {
    let event = event(&format!(r#"{{"v":{value}}}"#));

    assert_renders(&greedy(2), &event);
    assert_renders(r#"{"a":"{{data.v}}"}"#, &event);
    assert_renders(r#"{"a":"b{{data.v}}"}"#, &event);
}

#[test]
fn short_values_stay_whole_where_long_ones_are_cut_and_marked() {
    let long = "x".repeat(100_000);
    let event = event(&format!(
        r#"{{"long":"{long}","object":{{"a":"{long}"}},"short":"y"}}"#
    ));

    let template =
        r#"{"a":"{{data.long}}","b":"{{data.object}}","c":"{{data.short}}","d":"z {{data.long}}"}"#;
    let result = String::from_utf8(assert_renders(template, &event)).expect("UTF-8");

    assert!(result.starts_with(r#"{"a":"xxx"#));
    assert!(result.contains(r#"x…","b":"(cut)","c":"y","d":"z xxx"#));
    assert!(result.ends_with(r#"x…"}"#));
    assert!(result.len() > 40_000, "{}", result.len());
}

#[test]
fn a_result_of_exactly_the_limit_is_not_cut() {
    let room = Template::MAX_RESULT_BYTES - r#"["",1]"#.len();
    let render = |chars: usize| {
        let event = event(&format!(r#"{{"v":"{}"}}"#, "x".repeat(chars)));
        assert_renders(r#"["{{data.v}}",1]"#, &event)
    };

    assert_eq!(render(room).len(), Template::MAX_RESULT_BYTES);
    assert!(!render(room).contains(&0xe2), "no mark");
    assert!(render(room + 1).ends_with("x…\",1]".as_bytes()));
}

#[test]
fn the_most_placeholders_share_the_limit() {
    let event = event(&format!(r#"{{"v":{}}}"#, quoted("é", 250_000)));

    let result = assert_renders(&greedy(11), &event);

    assert!(result.len() > 50_000, "{}", result.len());
}

#[test]
fn a_text_that_shrinks_behind_a_filter_is_marked_nevertheless() {
    let event = event(&format!(r#"{{"v":{}}}"#, quoted("ı", 250_000)));

    let result = assert_renders(r#"["{{data.v|upper}}"]"#, &event);

    assert!(result.starts_with(b"[\"III") && result.ends_with("I…\"]".as_bytes()));
}

#[test]
fn the_largest_template_leaves_room_for_every_value() {
    let placeholders = r#","{{data.v}}""#.repeat(100);
    let literal = repeated(r"\u0001", Template::MAX_BYTES - placeholders.len() - 10);
    let event = event(&format!(r#"{{"v":{}}}"#, quoted("x", 200_000)));

    let result = assert_renders(&format!("[\"{literal}\"{placeholders}]"), &event);

    assert!(result.ends_with("xx…\"]".as_bytes()));
}

/// The shortest of three renderings of a greedy template.
fn time_of(value: &str) -> Duration {
    let (template, event) = (parse(&greedy(2)), event(&format!(r#"{{"v":{value}}}"#)));
    let times = (0..3).map(|_| {
        let start = Instant::now();
        template.render(&context(&event));
        start.elapsed()
    });
    times.min().expect("three times")
}

/// Four times the bytes may take sixteen times the time here: a loaded machine is no fault, and a quadratic
/// step in a text of 256 KiB would take minutes.
#[rstest]
#[case::text(|bytes| quoted("<", bytes))]
#[case::escapes(|bytes| quoted(r"\u0001", bytes))]
#[case::fields(fields)]
#[case::deep(nested)]
#[case::spaces(|bytes| format!("[{} 1]", repeated("1 , ", bytes)))]
fn the_time_of_a_rendering_is_linear(#[case] value: fn(usize) -> String) {
    let (short, long) = (time_of(&value(62_500)), time_of(&value(250_000)));

    assert!(
        long < short * 16,
        "{short:?} for a quarter, {long:?} for all"
    );
}
