//! What an admin manages over REST, through the real programs.

use serde_json::Value;

mod bulk;
mod changes;
mod conventions;
mod copies;
mod keys;
mod lists;
mod secrets;
mod serving;
mod sessions;
mod test_events;

/// The fields that a refusal names.
fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("errors").iter();
    errors.filter_map(|error| error["field"].as_str()).collect()
}

/// One field of each item of a list.
fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list").iter();
    items.filter_map(|item| item[field].as_str()).collect()
}
