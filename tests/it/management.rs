//! Managing webhooks, secrets, API keys and sessions over REST, through the real programs.

use serde_json::Value;
use webhook_tests::each;

mod audit;
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

/// The fields that a problem names.
fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("errors").iter();
    errors.filter_map(|error| error["field"].as_str()).collect()
}
