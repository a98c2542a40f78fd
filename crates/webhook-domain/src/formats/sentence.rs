//! One sentence about one event, from the pattern of its type in the catalogue.
//!
//! | pattern | writes |
//! | --- | --- |
//! | `{device}` | the name of the field: a text, a number, or the name or id of an object |
//! | `{assignee.id}` | a field of an object |
//! | `{seats:seat}` | a number with its noun: `1 seat`, `5 seats` |
//! | `{reason:words}` | a code in words, without a full stop |
//! | `{expires_at:date}` | the day of a time |
//! | `{changed:list}` | the elements of an array |
//! | `[a|b]` | the first alternative whose fields the event has, or nothing |
//!
//! A field outside brackets would leave a hole in the sentence of an event without the field: patterns have
//! none, which a test checks.

use serde_json::value::RawValue;

use super::fields::{Fields, in_words, instant_of, list, name};

/// The most characters of one value in a sentence: 200. The facts show more of the value.
const MAX_VALUE_CHARS: usize = 200;

/// Writes the sentence of `pattern` with the fields of an event.
pub(crate) fn sentence(pattern: &str, fields: &Fields<'_>) -> String {
    let mut written = String::new();
    let mut rest = pattern;
    while let Some((before, clause, after)) = bracketed(rest, '[', ']') {
        written.push_str(before);
        let mut alternatives = clause.split('|').map(|part| filled(part, fields));
        written.push_str(&alternatives.find_map(|part| part).unwrap_or_default());
        rest = after;
    }
    written.push_str(rest);
    with_one_stop(written)
}

/// An alternative with its values. `None`: the event lacks a field of the alternative.
fn filled(part: &str, fields: &Fields<'_>) -> Option<String> {
    let mut written = String::new();
    let mut rest = part;
    while let Some((before, place, after)) = bracketed(rest, '{', '}') {
        let (path, form) = place.split_once(':').unwrap_or((place, ""));
        written.push_str(before);
        written.push_str(&value(fields.get(path)?, form)?);
        rest = after;
    }
    written.push_str(rest);
    Some(written)
}

fn value(value: &RawValue, form: &str) -> Option<String> {
    match form {
        "" => name(value, MAX_VALUE_CHARS),
        "words" => words(value),
        "date" => instant_of(value).map(|time| time.format("%-d %B %Y").to_string()),
        "list" => list(value, MAX_VALUE_CHARS, in_words),
        noun => counted(&name(value, MAX_VALUE_CHARS)?, noun),
    }
}

/// A reason in words. The full stop of a whole sentence goes, as the pattern has its own.
fn words(value: &RawValue) -> Option<String> {
    let words = in_words(&name(value, MAX_VALUE_CHARS)?);
    let words = words.trim_end_matches(['.', ' ']);
    (!words.is_empty()).then(|| words.to_owned())
}

/// A number with its noun, in the plural unless the number is 1. `None`: no number.
fn counted(number: &str, noun: &str) -> Option<String> {
    let is_number = number.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && number
            .bytes()
            .all(|b| b.is_ascii_digit() || b"-+.eE".contains(&b));
    let plural = if number == "1" { "" } else { "s" };
    is_number.then(|| format!("{number} {noun}{plural}"))
}

/// The sentence with one mark at its end, where a value ends with a mark of its own.
fn with_one_stop(mut sentence: String) -> String {
    let marked = sentence
        .strip_suffix('.')
        .is_some_and(|start| start.ends_with(['.', '!', '?', '…']));
    if marked {
        sentence.pop();
    }
    sentence
}

/// The text before, within and after the first pair of brackets.
fn bracketed(text: &str, open: char, close: char) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(open)?;
    let (within, after) = rest.split_once(close)?;
    Some((before, within, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventType;
    use crate::formats::test_events::raw;
    use rstest::rstest;

    fn written(event_type: EventType, data: &str) -> String {
        let data = raw(data);
        sentence(event_type.sentence(), &Fields::of(&data))
    }

    #[test]
    fn no_sentence_of_the_catalogue_has_a_hole() {
        for event_type in EventType::ALL {
            let bare = sentence(event_type.sentence(), &Fields::default());

            assert!(!bare.contains(['{', '}', '[', ']', '|']), "{bare}");
            assert!(!bare.contains("  ") && !bare.contains(" ."), "{bare}");
            assert!(bare.starts_with("A ") || bare.starts_with("An "), "{bare}");
            assert!(bare.ends_with('.'), "{bare}");
        }
    }

    #[rstest]
    #[case::singular(
        r#"{"license_id":7,"seats":1}"#,
        "License 7 was activated with 1 seat."
    )]
    #[case::number_as_text(r#"{"seats":"12"}"#, "A license was activated with 12 seats.")]
    #[case::no_number(r#"{"seats":"many"}"#, "A license was activated.")]
    #[case::null(r#"{"license_id":null,"seats":null}"#, "A license was activated.")]
    #[case::blank(r#"{"license_id":" \u200b","seats":true}"#, "A license was activated.")]
    #[case::object(
        r#"{"license_id":{"id":"lic_42","name":null}}"#,
        "License lic_42 was activated."
    )]
    #[case::other_kinds(
        r#"{"license_id":["lic_42"],"seats":{"max":5}}"#,
        "A license was activated."
    )]
    fn a_fact_that_cannot_be_told_leaves_its_clause(#[case] data: &str, #[case] expected: &str) {
        assert_eq!(written(EventType::LicenseActivated, data), expected);
    }

    #[rstest]
    #[case::code(r#""payment_overdue""#, ": payment overdue.")]
    #[case::sentence(
        r#""The invoice of May is overdue.""#,
        ": The invoice of May is overdue."
    )]
    #[case::question(r#""Was it you?""#, ": Was it you?")]
    #[case::lines(r#""first\n\tsecond""#, ": first second.")]
    #[case::capitals(r#""ERR_42""#, ": ERR_42.")]
    #[case::dots(r#""...""#, ".")]
    #[case::object(r#"{"code":1,"name":"late_payment"}"#, ": late payment.")]
    fn a_reason_ends_the_sentence_with_one_mark(#[case] reason: &str, #[case] end: &str) {
        let data = format!(r#"{{"license_id":"lic_42","reason":{reason}}}"#);

        let sentence = written(EventType::LicenseSuspended, &data);

        assert_eq!(sentence, format!("License lic_42 was suspended{end}"));
    }

    #[test]
    fn a_long_reason_is_cut() {
        let data = format!(
            r#"{{"license_id":"lic_42","reason":"{}"}}"#,
            "late ".repeat(1_000)
        );

        let sentence = written(EventType::LicenseSuspended, &data);

        assert!(sentence.ends_with("late late…"), "{sentence}");
        assert_eq!(sentence.chars().count(), 30 + MAX_VALUE_CHARS);
    }

    #[rstest]
    #[case::user(r#"{"kind":"user","id":"usr_9"}"#, " to user usr_9.")]
    #[case::no_kind(r#"{"id":9}"#, " to 9.")]
    #[case::name(r#"{"name":"Ann","email":"ann@example.com"}"#, " to Ann.")]
    #[case::text(r#""usr_9""#, " to usr_9.")]
    #[case::kind_only(r#"{"kind":"user"}"#, ".")]
    fn an_assignee_is_an_object_or_a_text(#[case] assignee: &str, #[case] end: &str) {
        let data = format!(r#"{{"assignee":{assignee}}}"#);

        let sentence = written(EventType::LicenseAssigned, &data);

        assert_eq!(sentence, format!("A license was assigned{end}"));
    }

    #[rstest]
    #[case::one(r#"["seats"]"#, ". Changed: seats.")]
    #[case::words(r#"["ends_at",2,null]"#, ". Changed: ends at, 2.")]
    #[case::many(
        r#"["a","b","c","d","e","f","g"]"#,
        ". Changed: a, b, c, d, e and 2 more."
    )]
    #[case::objects(r#"[{"field":"seats"}]"#, ".")]
    #[case::text(r#""seats""#, ". Changed: seats.")]
    #[case::empty("[]", ".")]
    fn changed_fields_are_listed(#[case] changed: &str, #[case] end: &str) {
        let data = format!(r#"{{"changed":{changed}}}"#);

        let sentence = written(EventType::ContractUpdated, &data);

        assert_eq!(sentence, format!("A contract was updated{end}"));
    }

    #[rstest]
    #[case::offset(r#""2026-11-23T23:30:00-05:00""#, " on 24 November 2026.")]
    #[case::no_time(r#""tomorrow""#, ".")]
    #[case::seconds("1795421730", ".")]
    fn a_day_is_told_in_utc(#[case] time: &str, #[case] end: &str) {
        let data = format!(r#"{{"expired_at":{time}}}"#);

        let sentence = written(EventType::LicenseExpired, &data);

        assert_eq!(sentence, format!("A license expired{end}"));
    }
}
