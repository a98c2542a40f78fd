//! The API's JSON, read and asserted.

use serde_json::Value;

/// Asserts that `value` has each field of the JSON object `expected`; an absent field counts as
/// `null`. Other fields may be there.
#[track_caller]
pub fn assert_fields(value: &Value, expected: &Value) {
    for (name, expected) in expected.as_object().expect("an object of fields") {
        assert_eq!(value[name], *expected, "{name} of {value}");
    }
}

/// One text field of each item of a JSON list.
pub fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list").iter();
    items.filter_map(|item| item[field].as_str()).collect()
}

/// One text field of each item on all pages of a list.
pub fn each_on<'a>(pages: &'a [Value], field: &str) -> Vec<&'a str> {
    let items = pages.iter().flat_map(|page| each(&page["data"], field));
    items.collect()
}

/// The fields that a problem names.
pub fn fields_of(problem: &Value) -> Vec<&str> {
    each(&problem["errors"], "field")
}

/// The number of items in the list of a response.
pub fn length_of(page: &Value) -> usize {
    page["data"].as_array().expect("a list").len()
}

/// The API path of a webhook, from its JSON.
pub fn path_of(webhook: &Value) -> String {
    let id = webhook["id"].as_str().expect("a webhook has an id");
    format!("/api/v1/webhooks/{id}")
}
