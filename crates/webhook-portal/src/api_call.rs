//! A page as a request of the API, as a `curl` command with a placeholder for the API key.

use crate::query::Query;
use crate::shell::quote;
use crate::visit::Visit;

/// The header with the placeholder, in double quotes: the shell puts the API key in.
const KEY: &str = "--header \"Authorization: Bearer $WEBHOOKS_API_KEY\"";

/// The request for a list with the filters of its page. `path` is below `/api/v1`.
pub(crate) fn list(visit: &Visit, path: &str, query: &Query) -> String {
    get(visit, &format!("{path}{}", filters(query)))
}

/// The request for an object.
pub(crate) fn get(visit: &Visit, path: &str) -> String {
    // curl would expand `[1-3]` and `{a,b}` in a URL without `--globoff`.
    format!("curl --globoff {KEY} {}", url(visit, path))
}

/// A request that changes an object and needs no body.
pub(crate) fn post(visit: &Visit, path: &str) -> String {
    format!("curl --globoff --request POST {KEY} {}", url(visit, path))
}

fn filters(query: &Query) -> String {
    let filters = query.first_page();
    // A lone question mark asks for nothing.
    if filters == "?" {
        String::new()
    } else {
        filters
    }
}

fn url(visit: &Visit, path: &str) -> String {
    quote(&format!("{}/api/v1{path}", visit.origin))
}
